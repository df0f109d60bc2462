//! What can go wrong in the store.

use domain::{Rejected, Rejection};
use thiserror::Error;

/// Why the store did not do what was asked.
#[derive(Debug, Clone, Error)]
pub enum Error {
    /// A rule said no. Nothing was changed.
    #[error(transparent)]
    Rejected(#[from] Box<Rejected>),
    /// Redis cannot be reached, does not answer in time, or cannot write. See [`crate::outcome`] for
    /// whether the change was made all the same.
    #[error("redis is unavailable: {0}")]
    Unavailable(String),
    /// The call reached Redis after its deadline, and was refused there. Nothing was changed.
    #[error("the call reached redis after its deadline")]
    TooLate,
    /// A record that cannot be read, an answer that no script gives: a bug, or somebody's hand.
    #[error("{0}")]
    Corrupt(String),
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

/// What every method of the store answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;
