//! The connections that clients open: how many, and for how long without a word.
//!
//! tonic has no limit for them, and never closes one that does not say anything (measured: 0 of 400 in
//! 9 s), so that a few thousand silent clients would keep everybody else out. Beyond the limit new
//! clients wait in the kernel's queue until another one leaves. What is left to the operator: one
//! network can take all places with connections that do speak; a proxy in front has to stop that.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream::{self, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tonic::transport::server::{Connected, TcpConnectInfo};
use tracing::warn;

/// How long a client may take to say its first words, the preface of HTTP/2. It has to come with the
/// first packets; the time is that of a bad mobile network.
const GREETING_TIME: Duration = Duration::from_secs(10);

/// The length of `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`.
const PREFACE_BYTES: usize = 24;

/// How long to wait when the kernel has no socket to give, as when the process has no file descriptor
/// left. Trying again at once would keep a core busy with that.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A connection that counts, and that is closed if it does not speak.
pub(crate) struct Connection {
    stream: TcpStream,
    greeting: Option<Greeting>,
    _place: OwnedSemaphorePermit,
}

struct Greeting {
    bytes_left: usize,
    ends: Pin<Box<Sleep>>,
}

/// The connections that are accepted here, at most `max` at a time.
pub(crate) fn accept(
    listener: TcpListener,
    max: u32,
) -> impl Stream<Item = io::Result<Connection>> {
    let places = Arc::new(Semaphore::new(max as usize));
    stream::unfold((listener, places), async |(listener, places)| {
        let place = Arc::clone(&places).acquire_owned().await.ok()?;
        let stream = next(&listener).await;
        let connection = Connection {
            stream,
            greeting: Some(Greeting {
                bytes_left: PREFACE_BYTES,
                ends: Box::pin(sleep(GREETING_TIME)),
            }),
            _place: place,
        };
        Some((Ok(connection), (listener, places)))
    })
}

async fn next(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and must not wait for more to come. If it fails, the connection is
                // gone already.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

impl Connection {
    fn read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let Some(greeting) = &mut self.greeting else {
            return read;
        };
        greeting.bytes_left = greeting
            .bytes_left
            .saturating_sub(buffer.filled().len() - before);
        if greeting.bytes_left == 0 {
            self.greeting = None;
        } else if greeting.ends.as_mut().poll(cx).is_ready() {
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

    /// Not, so that h2 copies answers of up to 1,024 bytes behind one another and writes them together.
    /// Else it writes each one of more than 256 bytes alone, and a `GetCompetition` costs the service 14 us
    /// of CPU instead of 10.5. Pages, which are longer, cost some 4 % more for it.
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
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
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

    /// What a client reads that says this and nothing more, and how long until it is sent away.
    async fn wait_for_the_end(words: &[u8]) -> Duration {
        let (listener, address) = listen().await;
        let server = Server::builder();
        let serving = server.serve_with_incoming(Routes::default(), accept(listener, 10));
        let serving = tokio::spawn(serving);
        let mut client = TcpStream::connect(address).await.expect("a connection");
        client.write_all(words).await.expect("sent");
        let began_at = Instant::now();
        let patience = Duration::from_secs(60);
        let mut bytes = Vec::new();
        let end = tokio::time::timeout(patience, client.read_to_end(&mut bytes)).await;
        serving.abort();
        if end.is_ok() {
            began_at.elapsed()
        } else {
            patience
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_nothing_is_sent_away() {
        for words in [&b""[..], b"PRI * HTTP/2.0"] {
            assert_eq!(
                wait_for_the_end(words).await.as_secs(),
                GREETING_TIME.as_secs()
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_has_greeted_may_be_silent() {
        const EMPTY_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
        let words = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", EMPTY_SETTINGS].concat();
        assert_eq!(wait_for_the_end(&words).await.as_secs(), 60);
    }

    #[tokio::test]
    async fn beyond_the_limit_a_client_waits_until_another_one_leaves() {
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
