//! Signing in, at either service: who knows the password of an account gets in.
//!
//! The same check guards what asks a signed-in person for the password once more, so that it cannot be
//! guessed there either. A wrong password counts for the account, in the store, and for the network,
//! here. An address without an account is answered alike, after the same work.

use domain::{Email, Password, Rejection};
use store::{Credentials, OpenSession, PasswordHash, SignInAttempt};
use tokio::time::Instant;

use crate::errors::Failure;
use crate::passwords::Passwords;
use crate::throttle::{Network, SignInThrottle};

/// Checks passwords and counts the wrong ones. One for all calls of a service.
pub struct SignIns {
    credentials: Credentials,
    passwords: Passwords,
    throttle: SignInThrottle,
}

impl SignIns {
    /// Sign-ins with these credentials.
    #[must_use]
    pub fn new(credentials: Credentials, passwords: Passwords, throttle: SignInThrottle) -> Self {
        Self {
            credentials,
            passwords,
            throttle,
        }
    }

    /// Opens a session for the person with this address and password. The account is not looked
    /// up if too many sign-ins from the network have failed.
    ///
    /// UNAUTHENTICATED, for an unknown address and a wrong password alike; `TOO_MANY_SIGN_INS`;
    /// OVERLOADED, which counts as nothing.
    pub async fn open_session(
        &self,
        network: Network,
        email: &Email,
        password: Password,
    ) -> Result<OpenSession, Failure> {
        let attempt = self.check(network, email, password).await?;
        Ok(self.credentials.open_session(&attempt).await?)
    }

    /// Answers the stored hash to a signed-in person who knows the password, and opens nothing. Fails
    /// and counts as [`SignIns::open_session`] does.
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

    /// Confirms that a repeated request names the password that it set the first time, which only its
    /// hash can tell. `REQUEST_ID_REUSED` if it does not; that counts as a wrong password does.
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
    ) -> Result<SignInAttempt, Failure> {
        self.throttle.admit(network, Instant::now())?;
        let attempt = self.credentials.find(email).await?;
        let known = attempt.credential();
        if self.passwords.verify(password, known).await? {
            return Ok(attempt);
        }
        self.throttle.failed(network, Instant::now());
        self.credentials.count_failure(&attempt).await?;
        Err(Rejection::Unauthenticated.into())
    }
}
