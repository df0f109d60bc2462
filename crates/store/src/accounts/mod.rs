//! What users' and admins' accounts have in common: an address, a password, sessions.
//!
//! - [`create`]: how one is made, with the claim of its address.
//! - [`sign_in`]: how one is opened.
//! - [`session`]: what stands behind a token.

mod create;
mod handles;
mod session;
mod sign_in;

use std::time::Duration;

use deadpool_redis::redis::cmd;
use domain::{Rejected, Rejection, UserId};

use crate::Store;
use crate::error::Result;
use crate::keys::Account;
use crate::records::Fields;
use crate::redis::decode;

pub(crate) use create::NewAccount;
pub use handles::{Credentials, Sessions};
pub(crate) use session::Session;
pub use session::{ADMIN_SESSION, OpenSession, USER_SESSION};
pub use sign_in::{FAILED_SIGN_INS, SignInAttempt, THROTTLE_WINDOW};

/// The hash of a password, as argon2 writes it (PHC string). Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

impl Store {
    /// Reads the fields of a profile; empty = there is none.
    pub(crate) async fn read_profile(&self, account: &Account) -> Result<Fields> {
        let mut read = cmd("HGETALL");
        read.arg(account.profile());
        Ok(Fields::from_pairs(decode(self.redis.command(read).await?)?))
    }
}

/// For an argument of a script.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A rejection about an account that is not there.
pub(crate) fn user_not_found(id: &UserId) -> Rejected {
    Rejected::from(Rejection::UserNotFound).about_user(id)
}
