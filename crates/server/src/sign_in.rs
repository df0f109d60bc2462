//! Checks passwords: of a person who signs in, at either service, and of a signed-in person who is
//! asked again.
//!
//! Each attempt is reserved in the store before the password is checked, and counts as failed unless
//! the password was right or was not checked at all. A sign-in also counts for its network, in this
//! process. An unknown address gets the same errors after the same work.

use domain::{Email, Password, Rejection, TokenHash};
use store::accounts::{Origin, PersonId, Reservation};
use store::{Credentials, IssuedSession, PasswordHash, SignInAttempt};
use tokio::time::Instant;
use tracing::warn;

use crate::errors::Failure;
use crate::network::Network;
use crate::passwords::{HashCaller, PasswordMatch, Passwords};
use crate::throttle::SignInThrottle;

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

    /// Opens a session for the person with this address and password.
    ///
    /// Fails with UNAUTHENTICATED for an unknown address or a wrong password, with
    /// `TOO_MANY_SIGN_INS`, or with OVERLOADED, which does not count as a failed sign-in.
    pub async fn open_session(
        &self,
        network: Network,
        email: &Email,
        password: Password,
    ) -> Result<IssuedSession<Id>, Failure> {
        let (attempt, matched) = self.check(network, email, password).await?;
        let session = self.credentials.open_session(&attempt).await?;
        if let PasswordMatch::Outdated(new) = matched
            && let Err(error) = self.credentials.renew_hash(&attempt, &new).await
        {
            // The old hash still opens the account, and the next sign-in tries again.
            warn!(%error, "cannot replace an outdated password hash");
        }
        Ok(session)
    }

    /// Checks that a repeated sign-up has the same password as the first one, of which only the
    /// hash is stored. Fails with `REQUEST_ID_REUSED` if not, which counts as a failed sign-in.
    pub async fn confirm_sign_up(
        &self,
        network: Network,
        email: &Email,
        password: Password,
    ) -> Result<(), Failure> {
        let attempt = self.check(network, email, password).await;
        let (attempt, _) = attempt.map_err(wrong_is_another_request)?;
        Ok(self.credentials.release(attempt.reservation()).await?)
    }

    /// Checks the password of an account for the session of this token, and returns its stored
    /// hash. Failed sign-ins do not matter, and neither do the failures of other sessions.
    ///
    /// Fails with UNAUTHENTICATED for a wrong password, with `TOO_MANY_SIGN_INS`, or with
    /// OVERLOADED, which does not count.
    pub async fn confirm(
        &self,
        network: Network,
        session: TokenHash,
        account: &Id,
        password: Password,
    ) -> Result<PasswordHash, Failure> {
        let begun = self.credentials.begin_confirmation(account, session);
        let attempt = begun.await?;
        let (reservation, stored) = (&attempt.reservation, attempt.credential.as_ref());
        let caller = HashCaller::SignedIn(network);
        let matched = self.verify(caller, reservation, password, stored).await?;
        if matched == PasswordMatch::No {
            return Err(Rejection::Unauthenticated.into());
        }
        self.credentials.release(&attempt.reservation).await?;
        let confirmed = attempt.credential;
        confirmed.ok_or_else(|| Rejection::Unauthenticated.into())
    }

    /// Checks that a repeated request has the same password as the first one, of which only the
    /// hash is stored. Fails with `REQUEST_ID_REUSED` if not, and counts as [`SignIns::confirm`]
    /// does.
    pub async fn confirm_repetition(
        &self,
        network: Network,
        session: TokenHash,
        account: &Id,
        password: Password,
    ) -> Result<(), Failure> {
        let confirmed = self.confirm(network, session, account, password).await;
        confirmed.map(drop).map_err(wrong_is_another_request)
    }

    /// Checks the password of a sign-in. The attempt counts as failed until a session is opened or
    /// it is taken back.
    async fn check(
        &self,
        network: Network,
        email: &Email,
        password: Password,
    ) -> Result<(SignInAttempt<Id>, PasswordMatch), Failure> {
        let (counted, origin) = match self.throttle.reserve(network, Instant::now()) {
            Ok(counted) => (Some(counted), Origin::network(network.address())),
            Err(wait) => (None, Origin::blocked_network(network.address(), wait)),
        };
        let attempt = self.credentials.begin(email, origin).await?;
        let (reservation, stored) = (attempt.reservation(), attempt.credential());
        let caller = HashCaller::SignIn(network);
        let matched = self.verify(caller, reservation, password, stored).await?;
        if matched != PasswordMatch::No {
            return Ok((attempt, matched));
        }
        if let Some(counted) = counted {
            counted.fail();
        }
        Err(Rejection::Unauthenticated.into())
    }

    /// Checks the password of a reserved attempt. Takes the attempt back if nobody learns the
    /// result, because the server is overloaded or the call is cancelled.
    async fn verify(
        &self,
        caller: HashCaller,
        reservation: &Reservation,
        password: Password,
        stored: Option<&PasswordHash>,
    ) -> Result<PasswordMatch, Failure> {
        let mut pending = PendingAttempt {
            credentials: &self.credentials,
            reservation: Some(reservation),
        };
        let permit = self.passwords.acquire(caller).await?;
        let matched = Passwords::verify(permit, password, stored).await?;
        pending.reservation = None;
        Ok(matched)
    }
}

/// An attempt that is taken back when this is dropped.
struct PendingAttempt<'a, Id: PersonId> {
    credentials: &'a Credentials<Id>,
    reservation: Option<&'a Reservation>,
}

impl<Id: PersonId> Drop for PendingAttempt<'_, Id> {
    fn drop(&mut self) {
        let Some(reservation) = self.reservation.cloned() else {
            return;
        };
        let credentials = self.credentials.clone();
        // If this fails, the attempt counts until its window ends.
        tokio::spawn(async move { credentials.release(&reservation).await });
    }
}

/// Converts the failure for a wrong password of a repeated request.
fn wrong_is_another_request(failure: Failure) -> Failure {
    match failure {
        Failure::Rejected(no) if no.rejection == Rejection::Unauthenticated => {
            Rejection::RequestIdReused.into()
        }
        failure => failure,
    }
}
