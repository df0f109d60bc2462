//! Signing in, at either service: who knows the password of an account gets in.
//!
//! The same check guards what asks a signed-in person for the password once more, so that it cannot be
//! guessed there either. A wrong password counts for the account, in the store, and for the network,
//! here. An address without an account is answered alike, after the same work.

use domain::{Password, Rejection};
use store::{OpenSession, PasswordHash, SignInAttempt, Store};
use tokio::time::Instant;

use crate::errors::Failure;
use crate::passwords::Passwords;
use crate::throttle::{Network, SignInThrottle};

/// Checks passwords and counts the wrong ones. One for all calls of a service.
pub struct SignIns {
    store: Store,
    passwords: Passwords,
    throttle: SignInThrottle,
}

impl SignIns {
    /// Sign-ins to the accounts of this store.
    #[must_use]
    pub fn new(store: Store, passwords: Passwords, throttle: SignInThrottle) -> Self {
        Self {
            store,
            passwords,
            throttle,
        }
    }

    /// Opens a session for who knows the password. `attempt` looks the account up; it is not begun if
    /// the network is turned away.
    ///
    /// ```ignore
    /// let attempt = store.user_sign_in(&email);
    /// let session = sign_ins.open_session(network, attempt, password).await?;
    /// ```
    ///
    /// UNAUTHENTICATED, for an unknown address and a wrong password alike; `TOO_MANY_SIGN_INS`;
    /// OVERLOADED, which counts as nothing.
    pub async fn open_session(
        &self,
        network: Network,
        attempt: impl Future<Output = store::Result<SignInAttempt>>,
        password: Password,
    ) -> Result<OpenSession, Failure> {
        let attempt = self.check(network, attempt, password).await?;
        Ok(self.store.open_session(&attempt).await?)
    }

    /// Answers the stored hash to a signed-in person who knows the password, and opens nothing. Fails
    /// and counts as [`SignIns::open_session`] does.
    pub async fn confirm(
        &self,
        network: Network,
        attempt: impl Future<Output = store::Result<SignInAttempt>>,
        password: Password,
    ) -> Result<PasswordHash, Failure> {
        let attempt = self.check(network, attempt, password).await?;
        let confirmed = attempt.credential().cloned();
        confirmed.ok_or_else(|| Rejection::Unauthenticated.into())
    }

    /// Confirms that a repeated request names the password that it set the first time, which only its
    /// hash can tell. `REQUEST_ID_REUSED` if it does not; that counts as a wrong password does.
    pub async fn confirm_repetition(
        &self,
        network: Network,
        attempt: impl Future<Output = store::Result<SignInAttempt>>,
        password: Password,
    ) -> Result<(), Failure> {
        match self.confirm(network, attempt, password).await {
            Err(Failure::Rejected(no)) if no.rejection == Rejection::Unauthenticated => {
                Err(Rejection::RequestIdReused.into())
            }
            confirmed => confirmed.map(drop),
        }
    }

    async fn check(
        &self,
        network: Network,
        attempt: impl Future<Output = store::Result<SignInAttempt>>,
        password: Password,
    ) -> Result<SignInAttempt, Failure> {
        self.throttle.admit(network, Instant::now())?;
        let attempt = attempt.await?;
        let known = attempt.credential();
        if self.passwords.verify(password, known).await? {
            return Ok(attempt);
        }
        self.throttle.failed(network, Instant::now());
        self.store.sign_in_failed(&attempt).await?;
        Err(Rejection::Unauthenticated.into())
    }
}
