//! A stream whose bytes are watched: for the greeting, for progress, and for floods. It waits before
//! it reads more calls while many have not started.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tracing::info;

use super::activity::Activity;
use super::client::ClientConnection;
use super::flood::FloodDetector;
use super::starting::Starting;

/// Reads fail once the client floods the server with control frames.
pub(super) struct Watched<IO> {
    stream: IO,
    client: ClientConnection,
    activity: Arc<Activity>,
    starting: Starting,
    detector: FloodDetector,
}

impl<IO> Watched<IO> {
    pub(super) fn new(
        stream: IO,
        client: ClientConnection,
        activity: Arc<Activity>,
        starting: Starting,
    ) -> Self {
        Self {
            stream,
            client,
            detector: FloodDetector::new(activity.accepted_at()),
            activity,
            starting,
        }
    }

    fn received(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.activity.progressed();
        if let Err(flood) = self.detector.received(bytes, Instant::now) {
            let address = self.client.client();
            info!(%address, reason = %flood, "closed a connection");
            return Err(io::Error::other(flood));
        }
        if self.detector.has_greeted() {
            self.activity.greet();
        }
        Ok(())
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Watched<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.starting.is_crowded() {
            // The calls are in the queue of tasks before this connection.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) => Poll::Ready(this.received(&buffer.filled()[before..])),
            other => other,
        }
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Watched<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = written {
            this.activity.progressed();
            this.detector.sent(written);
        }
        written
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
