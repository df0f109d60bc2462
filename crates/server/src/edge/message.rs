//! Reads the one message of a call, before the call takes a place and before its caller is looked
//! up, so that a client that sends headers only, or its bytes slowly, keeps nobody else out.

use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request};
use http_body::Body;
use tokio::time::{Instant, timeout_at};

use super::compression::{self, Encoding};
use super::response::UnaryBody;
use crate::admission::{Place, places_for};
use crate::errors::Failure;

/// The time for a message to arrive after its headers. The largest message arrives in it at 110
/// kbit/s.
pub(super) const MESSAGE_TIMEOUT: Duration = Duration::from_secs(5);

/// The bytes before a message: whether it is compressed, and its length.
pub(super) const PREFIX_BYTES: usize = 5;

/// Reads messages within these limits.
pub(super) struct MessageReader {
    pub(super) max_bytes: usize,
    /// The place of the message. Without one, a message that is not there already is refused.
    pub(super) place: Option<Place>,
    pub(super) began_at: Instant,
    /// The deadline of the call.
    pub(super) ends_at: Instant,
}

impl MessageReader {
    /// Replaces the body of a request by the complete message, and returns its length.
    pub(super) async fn replace_body(
        self,
        request: &mut Request<tonic::body::Body>,
    ) -> Result<usize, Failure> {
        let body = mem::take(request.body_mut());
        let message = self.read(request.headers(), body).await?;
        compression::strip(request.headers_mut());
        let length = message.len();
        *request.body_mut() = UnaryBody::of_message(message);
        Ok(length)
    }

    /// Returns the message with its prefix, decompressed, once the client has ended the request.
    pub(super) async fn read<B: Body<Data = Bytes> + Unpin>(
        self,
        headers: &HeaderMap,
        body: B,
    ) -> Result<Bytes, Failure> {
        let encoding = Encoding::of_request(headers)?;
        let max_bytes = self.max_bytes;
        let message = self.read_body(body).await?;
        check_complete(&message)?;
        encoding.decompress(message, max_bytes)
    }

    /// A body that is there already, which is the normal case, is not copied.
    async fn read_body<B: Body<Data = Bytes> + Unpin>(self, body: B) -> Result<Bytes, Failure> {
        let mut received = Received {
            body,
            first: Bytes::new(),
            all: BytesMut::new(),
        };
        let max = self.max_bytes;
        let at_once = poll_fn(|cx| Poll::Ready(received.poll_end(cx, max))).await;
        if let Poll::Ready(read) = at_once {
            return read.map(|()| received.into_bytes());
        }
        received.copy_first();
        let mut place = self.place.ok_or_else(Failure::overloaded)?;
        let rest = poll_fn(|cx| {
            let read = received.poll_end(cx, max);
            if place.try_resize(places_for(received.bytes().len())) {
                read
            } else {
                Poll::Ready(Err(Failure::overloaded()))
            }
        });
        let timeout = self.began_at + MESSAGE_TIMEOUT;
        match timeout_at(timeout.min(self.ends_at), rest).await {
            Ok(read) => read.map(|()| received.into_bytes()),
            Err(_) if timeout < self.ends_at => Err(Failure::MessageTimeout),
            Err(_) => Err(Failure::DeadlineExceeded),
        }
    }
}

/// The part of a body that has arrived.
struct Received<B> {
    body: B,
    /// The only frame so far.
    first: Bytes,
    /// All frames, once there is more than one.
    all: BytesMut,
}

impl<B: Body<Data = Bytes> + Unpin> Received<B> {
    /// Reads until the end of the request.
    fn poll_end(&mut self, cx: &mut Context<'_>, max_bytes: usize) -> Poll<Result<(), Failure>> {
        while !self.body.is_end_stream() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => break,
                // The client has reset the stream, or the connection is closed.
                Some(Err(_)) => return Poll::Ready(Err(Failure::Cancelled)),
                // Frames without data are trailers, which have no meaning in a request.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.push(data);
                        check_length(self.bytes(), max_bytes)?;
                    }
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn push(&mut self, data: Bytes) {
        if self.bytes().is_empty() {
            self.first = data;
        } else {
            self.copy_first();
            self.all.extend_from_slice(&data);
        }
    }

    /// Copies the first frame, which keeps a whole read buffer of the connection in memory.
    fn copy_first(&mut self) {
        self.all.extend_from_slice(&mem::take(&mut self.first));
    }

    fn bytes(&self) -> &[u8] {
        if self.all.is_empty() {
            &self.first
        } else {
            &self.all
        }
    }

    fn into_bytes(self) -> Bytes {
        if self.all.is_empty() {
            self.first
        } else {
            self.all.freeze()
        }
    }
}

/// Fails as soon as the bytes cannot become a valid body any more.
fn check_length(bytes: &[u8], max_bytes: usize) -> Result<(), Failure> {
    let Some(length) = announced_length(bytes) else {
        return Ok(());
    };
    if length > max_bytes {
        Err(Failure::MessageTooLarge)
    } else if bytes.len() > PREFIX_BYTES + length {
        Err(malformed("a call has one message, and more bytes came"))
    } else {
        Ok(())
    }
}

fn check_complete(bytes: &[u8]) -> Result<(), Failure> {
    match announced_length(bytes) {
        Some(length) if bytes.len() == PREFIX_BYTES + length => Ok(()),
        None if bytes.is_empty() => Err(malformed("the request has no message")),
        _ => Err(malformed("the request ended within the message")),
    }
}

/// Returns the length of the message according to its prefix; `None` while that is incomplete.
fn announced_length(bytes: &[u8]) -> Option<usize> {
    let length = bytes.get(1..PREFIX_BYTES)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(length)).ok()
}

fn malformed(sentence: &str) -> Failure {
    Failure::Malformed(sentence.to_owned())
}
