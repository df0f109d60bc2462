//! The parts that the accounts of users and of admins share: an e-mail address, a password,
//! sessions.
//!
//! - [`email_claims`]: which account has an e-mail address.
//! - [`credentials`]: signing in with an address and a password.
//! - [`attempts`]: how many attempts to give a password may fail.
//! - [`unlock`]: lets an operator clear the failed attempts.
//! - [`sessions`]: finds the caller of a session token.

mod attempts;
mod credentials;
mod email_claims;
mod sessions;
mod unlock;

use std::fmt;
use std::time::Duration;

use domain::session::TokenSecret;
use domain::{AdminId, SessionToken, UserId};

use crate::keys::{AccountId, People};

pub use attempts::{
    ATTEMPT_DAY, ATTEMPT_WINDOW, MAX_FAILED_ATTEMPTS, MAX_FAILED_ATTEMPTS_A_DAY, NETWORK_LIFETIME,
    Origin, Reservation,
};
pub use credentials::{ConfirmationAttempt, Credentials, IssuedSession, SignInAttempt};
pub(crate) use email_claims::EmailClaims;
pub use sessions::Sessions;
pub use unlock::Unlocked;

/// The lifetime of a user's session: 30 days.
pub const USER_SESSION_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// The lifetime of an admin's session: 12 hours, a long working day.
pub const ADMIN_SESSION_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// The hash of a password, as argon2 prints it (PHC string). `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a PHC string. The store does not check it.
    #[must_use]
    pub fn new(phc: String) -> Self {
        Self(phc)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// The id of a user or of an admin, with what differs between the two when they sign in.
pub trait PersonId: Clone + Send + Sync + 'static {
    const PEOPLE: People;
    const SESSION_LIFETIME: Duration;

    /// Parses an id. `None` if it is not valid.
    fn parse_id(text: &str) -> Option<Self>;

    fn account(&self) -> AccountId;

    fn session_token(&self, secret: &TokenSecret) -> SessionToken;
}

impl PersonId for UserId {
    const PEOPLE: People = People::Users;
    const SESSION_LIFETIME: Duration = USER_SESSION_LIFETIME;

    fn parse_id(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    fn account(&self) -> AccountId {
        AccountId::User(self.clone())
    }

    fn session_token(&self, secret: &TokenSecret) -> SessionToken {
        SessionToken::of_user(self, secret)
    }
}

impl PersonId for AdminId {
    const PEOPLE: People = People::Admins;
    const SESSION_LIFETIME: Duration = ADMIN_SESSION_LIFETIME;

    fn parse_id(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    fn account(&self) -> AccountId {
        AccountId::Admin(self.clone())
    }

    fn session_token(&self, secret: &TokenSecret) -> SessionToken {
        SessionToken::of_admin(self, secret)
    }
}
