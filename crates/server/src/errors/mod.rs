//! The errors of calls.
//!
//! 1. [`Failure`]: why a call failed, in the words of the domain.
//! 2. `table`: the gRPC code and the reason of each failure.
//! 3. `details`: the error that the client reads.
//!
//! A handler returns a [`Failure`], which passes through tonic as the source of a [`Status`]. The
//! edge takes it out again, because only the edge knows the call's id and whether a write was sent.
//! There it is turned into the client's error and logged, once.

mod details;
mod table;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use domain::{InvalidFields, Rejected, Rejection};
use thiserror::Error;
use tonic::{Code, Response, Status};

use crate::edge::MAX_HEADER_BYTES;
pub(crate) use details::client_error;
pub use table::DOMAIN;
pub(crate) use table::{code_name, from_tonic};

/// Why a call failed.
#[derive(Debug, Error)]
pub enum Failure {
    /// All invalid fields of the request.
    #[error(transparent)]
    Invalid(#[from] InvalidFields),
    /// A rule of the domain does not allow it.
    #[error(transparent)]
    Rejected(#[from] Box<Rejected>),
    /// Redis cannot be reached or cannot write. The detail is for the log only.
    #[error("redis is unavailable: {0}")]
    Unavailable(String),
    /// The memory of Redis is full. The detail is for the log only.
    #[error("redis is out of memory: {0}")]
    StoreFull(String),
    /// The deadline of the client or the server has passed.
    #[error("the deadline has passed")]
    DeadlineExceeded,
    /// A message or a header of the call cannot be decoded. The sentence is for the client.
    #[error("{0}")]
    Malformed(String),
    /// The server does not support the compression of the message. The sentence is for the client.
    #[error("{0}")]
    Compressed(String),
    /// The message is larger than [`MAX_MESSAGE_BYTES`](crate::MAX_MESSAGE_BYTES).
    #[error("the message is larger than {} bytes", crate::MAX_MESSAGE_BYTES)]
    MessageTooLarge,
    /// The headers are larger than 8 KiB.
    #[error("the headers are larger than {MAX_HEADER_BYTES} bytes")]
    HeadersTooLarge,
    /// The client has broken off its message.
    #[error("the client has cancelled the call")]
    Cancelled,
    /// The headers of the call came, and its message did not come in time.
    #[error("the message did not arrive in time")]
    MessageTimeout,
    /// The connection, or the server, has as many streams of health and reflection as it may have.
    #[error("too many streams of health and reflection are open on this connection or server")]
    TooManyStreams,
    /// There is no such method, or it has no row in the access table.
    #[error("there is no such method")]
    UnknownMethod,
    /// A bug or a corrupt record. The detail is for the log only.
    #[error("{0}")]
    Internal(String),
}

/// The result of a method, as the traits that tonic generates define it.
pub type RpcResult<T> = Result<Response<T>, Status>;

/// Converts the result of a handler. Each row of a service's table of methods ends with it.
pub fn reply<T>(result: Result<T, Failure>) -> RpcResult<T> {
    Ok(Response::new(result?))
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(Box::new(rejected))
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Rejected::from(rejection).into()
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Rejected(rejected) => Self::Rejected(rejected),
            store::Error::Unavailable(detail) | store::Error::LoginRefused(detail) => {
                Self::Unavailable(detail)
            }
            store::Error::Full(detail) => Self::StoreFull(detail),
            store::Error::TooLate => Self::DeadlineExceeded,
            store::Error::Corrupt(detail) | store::Error::PermissionDenied(detail) => {
                Self::Internal(detail)
            }
            store::Error::Invalid(fields) => Self::from(fields),
        }
    }
}

/// When a call that was over a limit is worth retrying: calls take milliseconds.
const OVERLOAD_RETRY_AFTER: Duration = Duration::from_secs(1);

impl From<Failure> for Status {
    /// Wraps the failure, so that it can pass through tonic to the edge. The client never sees this
    /// status.
    fn from(failure: Failure) -> Self {
        let mut envelope = Self::new(Code::Unknown, "");
        envelope.set_source(Arc::new(failure));
        envelope
    }
}

impl Failure {
    /// The server, or the connection of the call, has as many calls in flight as it may have.
    pub(crate) fn overloaded() -> Self {
        Self::from(Rejection::Overloaded {
            retry_after: OVERLOAD_RETRY_AFTER,
        })
    }

    /// Returns the failure of a handler; `None` if tonic itself created the status.
    pub(crate) fn carried_by(status: &Status) -> Option<&Self> {
        status.source()?.downcast_ref()
    }
}
