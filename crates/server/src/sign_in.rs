//! Signing in with a password, at either service.
//!
//! RPCs that ask a signed-in person for the password again use the same check, so that nobody can
//! guess the password there. A wrong password counts against the account, in the store, and against
//! the network, in this process. An unknown address gets the same error after the same work.

use domain::{Email, Password, Rejection};
use store::accounts::PersonId;
use store::{Credentials, IssuedSession, PasswordHash, SignInAttempt};
use tokio::time::Instant;

use crate::errors::Failure;
use crate::passwords::Passwords;
use crate::throttle::{Network, SignInThrottle};

/// Checks the passwords of users (`SignIns<UserId>`) or of admins (`SignIns<AdminId>`), and counts
/// wrong ones. All calls of a service share one.
pub struct SignIns<Id> {
    credentials: Credentials<Id>,
    passwords: Passwords,
    throttle: SignInThrottle,
}

impl<Id: PersonId> SignIns<Id> {
    #[must_use]
    pub fn new(
        credentials: Credentials<Id>,
        passwords: Passwords,
        throttle: SignInThrottle,
    ) -> Self {
        Self {
            credentials,
            passwords,
            throttle,
        }
    }

    /// Opens a session for the person with this address and password. The account is not looked up
    /// if too many sign-ins from the network have failed.
    ///
    /// Fails with UNAUTHENTICATED for an unknown address or a wrong password, with
    /// `TOO_MANY_SIGN_INS`, or with OVERLOADED, which does not count as a failed sign-in.
    pub async fn open_session(
        &self,
        network: Network,
        email: &Email,
        password: Password,
    ) -> Result<IssuedSession<Id>, Failure> {
        let attempt = self.check(network, email, password).await?;
        Ok(self.credentials.open_session(&attempt).await?)
    }

    /// Checks the password without opening a session, and returns its stored hash. Fails and counts
    /// as [`SignIns::open_session`] does.
    pub async fn confirm(
        &self,
        network: Network,
        email: &Email,
        password: Password,
    ) -> Result<PasswordHash, Failure> {
        let attempt = self.check(network, email, password).await?;
        let confirmed = attempt.credential().cloned();
        confirmed.ok_or_else(|| Rejection::Unauthenticated.into())
    }

    /// Checks that a repeated request has the same password as the first one, of which only the
    /// hash is stored. Fails with `REQUEST_ID_REUSED` if not, which counts as a wrong password.
    pub async fn confirm_repetition(
        &self,
        network: Network,
        email: &Email,
        password: Password,
    ) -> Result<(), Failure> {
        match self.confirm(network, email, password).await {
            Err(Failure::Rejected(no)) if no.rejection == Rejection::Unauthenticated => {
                Err(Rejection::RequestIdReused.into())
            }
            confirmed => confirmed.map(drop),
        }
    }

    async fn check(
        &self,
        network: Network,
        email: &Email,
        password: Password,
    ) -> Result<SignInAttempt<Id>, Failure> {
        self.throttle.check(network, Instant::now())?;
        let attempt = self.credentials.find(email).await?;
        let known = attempt.credential();
        if self.passwords.verify(password, known).await? {
            return Ok(attempt);
        }
        self.throttle.count_failure(network, Instant::now());
        self.credentials.count_failure(&attempt).await?;
        Err(Rejection::Unauthenticated.into())
    }
}
