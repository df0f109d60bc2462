//! The errors of the store.

use domain::{Rejected, Rejection};
use thiserror::Error;

/// Why the store did not do what was asked.
#[derive(Debug, Clone, Error)]
pub enum Error {
    /// A rule refused the request. Nothing was changed.
    #[error(transparent)]
    Rejected(#[from] Box<Rejected>),
    /// The result would be an invalid record. Nothing was changed.
    #[error(transparent)]
    Invalid(#[from] domain::InvalidFields),
    /// Redis cannot be reached, does not reply in time, or cannot write. The change may have been
    /// made all the same: see [`crate::WriteOutcome`].
    #[error("redis is unavailable: {0}")]
    Unavailable(String),
    /// The memory of Redis is full, so it refused to store more. What frees memory and what protects
    /// an account still works. The command that was refused changed nothing.
    #[error("redis is out of memory: {0}")]
    Full(String),
    /// Redis refused the user or the password. Nothing was sent.
    #[error("redis refused the login: {0}")]
    LoginRefused(String),
    /// The Redis user lacks the permission for a command or a key.
    #[error("redis denied a command: {0}")]
    PermissionDenied(String),
    /// The request reached Redis after its deadline and was refused there. Nothing was changed.
    #[error("the request reached redis after its deadline")]
    TooLate,
    /// A stored record or a reply cannot be decoded: a bug, or a manual change in Redis.
    #[error("{0}")]
    Corrupt(String),
}

impl Error {
    /// The error for a stored record or a reply that cannot be decoded.
    pub(crate) fn unreadable(what: impl std::fmt::Display) -> Self {
        Self::Corrupt(format!("unreadable: {what}"))
    }
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(Box::new(rejected))
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Rejected::from(rejection).into()
    }
}

/// The result of the store's methods.
pub type Result<T, E = Error> = std::result::Result<T, E>;
