//! The limits of connections: their number, and the time until a client sends its first bytes.
//!
//! tonic has no limit, and never closes a connection on which the client sends nothing (measured: 0
//! of 400 in 9 s), so that a few thousand silent clients would keep all others out. At the limit,
//! new clients wait in the kernel's queue until a connection is closed.
//!
//! One network can still use all connections if its clients do send something. A proxy in front has
//! to prevent that.

mod client;

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream::{self, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tonic::transport::server::Connected;
use tracing::warn;

pub use client::ClientConnection;

/// The time for a client to send the preface of HTTP/2, which comes with the first packets. Enough
/// for a bad mobile network.
const PREFACE_TIMEOUT: Duration = Duration::from_secs(10);

/// The length of `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`.
const PREFACE_BYTES: usize = 24;

/// The pause after `accept` has failed, for example because the process has no file descriptor
/// left. Retrying at once would keep a core busy.
const ACCEPT_RETRY_PAUSE: Duration = Duration::from_millis(100);

/// An accepted connection. Reads fail if the preface does not come in time.
pub(crate) struct Connection {
    stream: TcpStream,
    client: ClientConnection,
    /// `None` once the preface has been read.
    preface: Option<Preface>,
    _permit: OwnedSemaphorePermit,
}

struct Preface {
    bytes_left: usize,
    timeout: Pin<Box<Sleep>>,
}

/// Accepts connections, at most `max` at a time.
pub(crate) fn accept(
    listener: TcpListener,
    max: u32,
) -> impl Stream<Item = io::Result<Connection>> {
    let permits = Arc::new(Semaphore::new(max as usize));
    stream::unfold((listener, permits), async |(listener, permits)| {
        let permit = Arc::clone(&permits).acquire_owned().await.ok()?;
        let (stream, peer) = accept_one(&listener).await;
        let connection = Connection {
            stream,
            client: ClientConnection::new(peer, peer),
            preface: Some(Preface {
                bytes_left: PREFACE_BYTES,
                timeout: Box::pin(sleep(PREFACE_TIMEOUT)),
            }),
            _permit: permit,
        };
        Some((Ok(connection), (listener, permits)))
    })
}

async fn accept_one(listener: &TcpListener) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Responses are small and must not wait until a packet is full. If this fails, the
                // connection is closed already.
                let _ = stream.set_nodelay(true);
                return (stream, peer.ip());
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_RETRY_PAUSE).await;
            }
        }
    }
}

impl Connection {
    fn read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let Some(preface) = &mut self.preface else {
            return read;
        };
        preface.bytes_left = preface
            .bytes_left
            .saturating_sub(buffer.filled().len() - before);
        if preface.bytes_left == 0 {
            self.preface = None;
        } else if preface.timeout.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    /// Returns false, so that h2 coalesces responses of up to 1,024 bytes into one write. Otherwise
    /// it writes each response of more than 256 bytes alone, and a `GetCompetition` costs the
    /// service 14 µs of CPU instead of 10.5. Pages, which are longer, cost some 4 % more with this.
    fn is_write_vectored(&self) -> bool {
        false
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Connected for Connection {
    type ConnectInfo = ClientConnection;

    fn connect_info(&self) -> ClientConnection {
        self.client.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::pin::pin;

    use futures::StreamExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;
    use tonic::service::Routes;
    use tonic::transport::Server;

    use super::*;

    async fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        (listener, address)
    }

    /// Returns how long the server keeps a client that sends only these bytes, at most a minute.
    async fn time_until_closed(bytes_to_send: &[u8]) -> Duration {
        let (listener, address) = listen().await;
        let server = Server::builder();
        let serving = server.serve_with_incoming(Routes::default(), accept(listener, 10));
        let serving = tokio::spawn(serving);
        let mut client = TcpStream::connect(address).await.expect("a connection");
        client.write_all(bytes_to_send).await.expect("sent");
        let began_at = Instant::now();
        let limit = Duration::from_secs(60);
        let mut bytes = Vec::new();
        let end = tokio::time::timeout(limit, client.read_to_end(&mut bytes)).await;
        serving.abort();
        if end.is_ok() {
            began_at.elapsed()
        } else {
            limit
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_without_a_preface_is_disconnected() {
        for bytes in [&b""[..], b"PRI * HTTP/2.0"] {
            assert_eq!(
                time_until_closed(bytes).await.as_secs(),
                PREFACE_TIMEOUT.as_secs()
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_has_sent_its_preface_may_be_silent() {
        const EMPTY_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
        let bytes = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", EMPTY_SETTINGS].concat();
        assert_eq!(time_until_closed(&bytes).await.as_secs(), 60);
    }

    #[tokio::test]
    async fn at_the_limit_a_client_waits_until_a_connection_is_closed() {
        let (listener, address) = listen().await;
        let mut accepted = pin!(accept(listener, 1));
        let _clients = [
            TcpStream::connect(address).await.expect("the first"),
            TcpStream::connect(address)
                .await
                .expect("in the kernel's queue"),
        ];
        let first = accepted
            .next()
            .await
            .expect("endless")
            .expect("a connection");
        assert!(futures::poll!(accepted.next()).is_pending());
        drop(first);
        accepted
            .next()
            .await
            .expect("endless")
            .expect("a connection");
    }
}
