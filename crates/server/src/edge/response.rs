//! Responses that hold their place until they have been written to the socket.
//!
//! hyper takes a whole response from its body as soon as the client's window has one byte, and h2
//! keeps what the client does not read. So the end of the body says nothing; but h2 drops the bytes
//! when it has written them, and with them their owner, which holds the place.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::task::AtomicWaker;
use http::HeaderMap;
use http_body::{Body as _, Frame};
use tonic::Status;
use tonic::body::Body;

use super::compression;
use crate::admission::Place;
use crate::connections::ClientConnection;

/// Bytes that hold a place.
struct Held<B> {
    bytes: B,
    place: Place,
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Held<B> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

impl<B> Drop for Held<B> {
    fn drop(&mut self) {
        self.place.connection().usage().response_written();
    }
}

/// Returns the bytes, which hold the place until they are dropped. They must not be copied on the
/// way to h2.
pub(super) fn hold(bytes: impl AsRef<[u8]> + Send + 'static, place: Place) -> Bytes {
    place.connection().usage().response_begins();
    Bytes::from_owner(Held { bytes, place })
}

/// The body of a response with at most one message, and of such a request.
#[derive(Debug, Default)]
pub(super) struct UnaryBody {
    pub(super) message: Option<Bytes>,
    pub(super) trailers: Option<HeaderMap>,
}

impl UnaryBody {
    pub(super) fn of_message(message: Bytes) -> Body {
        Body::new(Self {
            message: Some(message),
            trailers: None,
        })
    }

    pub(super) fn of_text(text: &'static str) -> Body {
        Self::of_message(Bytes::from_static(text.as_bytes()))
    }

    /// Returns the body. Its message holds the place, if there is one.
    pub(super) fn hold(mut self, place: Option<Place>) -> Body {
        self.message = self.message.map(|message| match place {
            Some(place) => hold(message, place),
            None => message,
        });
        Body::new(self)
    }

    /// Compresses the message with gzip if it is large. The headers are those of the response.
    pub(super) async fn compress(&mut self, headers: &mut HeaderMap) {
        if let Some(message) = self.message.take() {
            self.message = Some(compression::compress(message, headers).await);
        }
    }

    /// Reads the body of a unary method. Its frames are there already.
    pub(super) async fn read(mut body: Body) -> Self {
        let mut this = Self::default();
        while !body.is_end_stream()
            && let Some(Ok(frame)) =
                std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
        {
            match frame.into_data() {
                Ok(data) => this.message = Some(data),
                Err(frame) => this.trailers = frame.into_trailers().ok(),
            }
        }
        this
    }
}

impl http_body::Body for UnaryBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let message = self.message.take().map(Frame::data);
        let frame = message.or_else(|| self.trailers.take().map(Frame::trailers));
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.message.is_none() && self.trailers.is_none()
    }
}

/// The body of a stream. Holds a place, and reads a message only when the one before has been
/// written to the socket, so that nothing piles up for a client that does not read.
pub(super) struct StreamBody {
    messages: Body,
    unwritten: Arc<Unwritten>,
    place: Place,
}

/// Whether a message is on its way to the socket.
#[derive(Default)]
struct Unwritten {
    exists: AtomicBool,
    written: AtomicWaker,
}

struct StreamedBytes {
    bytes: Bytes,
    unwritten: Arc<Unwritten>,
    connection: ClientConnection,
}

impl StreamBody {
    pub(super) fn wrap(messages: Body, place: Place) -> Body {
        Body::new(Self {
            messages,
            unwritten: Arc::default(),
            place,
        })
    }
}

impl http_body::Body for StreamBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.unwritten.exists.load(Ordering::Acquire) {
            self.unwritten.written.register(cx.waker());
            if self.unwritten.exists.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
        let frame = ready!(Pin::new(&mut self.messages).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| {
                frame.map_data(|bytes| {
                    let connection = self.place.connection().clone();
                    connection.usage().response_begins();
                    self.unwritten.exists.store(true, Ordering::Release);
                    Bytes::from_owner(StreamedBytes {
                        bytes,
                        unwritten: Arc::clone(&self.unwritten),
                        connection,
                    })
                })
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.messages.is_end_stream()
    }
}

impl AsRef<[u8]> for StreamedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for StreamedBytes {
    fn drop(&mut self) {
        self.connection.usage().response_written();
        self.unwritten.exists.store(false, Ordering::Release);
        self.unwritten.written.wake();
    }
}
