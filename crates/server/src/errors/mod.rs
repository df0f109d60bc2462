//! What a call answers when it cannot do what was asked.
//!
//! 1. [`Failure`]: what happened, in the words of the domain.
//! 2. `table`: which gRPC code and which reason stand for it; the only place that names a code.
//! 3. `details`: the failure as the answer that the client reads.
//!
//! A handler returns a [`Failure`]. It travels through tonic as the source of a [`Status`]. The edge
//! takes it out again, because only the edge knows the call's id and whether a write was sent; there
//! it becomes the answer, and there it is logged, once.

mod details;
mod table;

use std::error::Error as _;
use std::sync::Arc;

use domain::{InvalidFields, Rejected, Rejection};
use thiserror::Error;
use tonic::{Code, Response, Status};

pub(crate) use details::answer;
pub use table::DOMAIN;
pub(crate) use table::{of_tonic, word};

/// Why a call has no good answer.
#[derive(Debug, Error)]
pub enum Failure {
    /// Fields of the request are wrong: every one of them.
    #[error(transparent)]
    Invalid(#[from] InvalidFields),
    /// A rule said no.
    #[error(transparent)]
    Rejected(#[from] Box<Rejected>),
    /// Redis cannot be reached or cannot write. The sentence is for the log only.
    #[error("redis is unavailable: {0}")]
    Unavailable(String),
    /// The client's deadline passed, or the server's own.
    #[error("the deadline passed")]
    DeadlineExceeded,
    /// What came is not a gRPC call of the contract: a message that cannot be decoded, a header that
    /// cannot be read. The sentence is for the client.
    #[error("{0}")]
    Malformed(String),
    /// The message is compressed in a way that the server does not read.
    #[error("{0}")]
    Compressed(String),
    /// The message is larger than [`MAX_MESSAGE_BYTES`](crate::MAX_MESSAGE_BYTES).
    #[error("the message is larger than {} bytes", crate::MAX_MESSAGE_BYTES)]
    MessageTooLarge,
    /// There is no such method, or nobody said who may call it.
    #[error("there is no such method")]
    UnknownMethod,
    /// A bug or a corrupt record. The sentence is for the log only.
    #[error("{0}")]
    Internal(String),
}

/// The last act of each row in a service's table of methods: what the handler answered, as tonic
/// takes it.
pub fn reply<T>(answer: Result<T, Failure>) -> Result<Response<T>, Status> {
    Ok(Response::new(answer?))
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
            store::Error::TooLate => Self::DeadlineExceeded,
            store::Error::Corrupt(detail) | store::Error::PermissionDenied(detail) => {
                Self::Internal(detail)
            }
            store::Error::Invalid(fields) => Self::from(fields),
        }
    }
}

/// The envelope in which a failure travels through tonic. What the client reads is written at the
/// edge.
impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let mut envelope = Self::new(Code::Unknown, "");
        envelope.set_source(Arc::new(failure));
        envelope
    }
}

impl Failure {
    /// The failure that a handler put into the envelope; none if tonic itself wrote the status.
    pub(crate) fn carried_by(status: &Status) -> Option<&Self> {
        status.source()?.downcast_ref()
    }
}
