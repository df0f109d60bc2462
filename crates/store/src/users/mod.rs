//! The accounts of users, who enter competitions.
//!
//! - [`read`]: one user, or many.
//! - [`change`]: the profile and the password.
//! - [`history`]: the sessions and what happened to the account.
//!
//! An account is created and erased in several slots: see `workflows`.

mod change;
mod history;
mod read;

use std::net::IpAddr;

use domain::{Email, Profile, RequestId};

use crate::accounts::EmailClaims;
use crate::redis::Redis;

pub use crate::records::session::SessionTimes;
pub(crate) use read::user_not_found;

/// The accounts of users. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Users {
    redis: Redis,
    claims: EmailClaims,
}

/// An account to create.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub email: Email,
    pub profile: Profile,
    pub request_id: RequestId,
    /// The network of the user, from which the account is known to sign in.
    pub network: Option<IpAddr>,
}

impl Users {
    pub(crate) fn new(redis: &Redis, claims: &EmailClaims) -> Self {
        Self {
            redis: redis.clone(),
            claims: claims.clone(),
        }
    }
}
