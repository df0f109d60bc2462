//! Signing in with an e-mail address and a password. The password itself is checked by the caller:
//! the store only knows its hash.

use std::marker::PhantomData;

use domain::{Email, Rejection, SessionToken, Timestamp, TokenHash};
use tracing::warn;

use super::attempts::{self, NETWORK_LIFETIME, Origin, Reservation};
use super::{EmailClaims, PasswordHash, PersonId};
use crate::error::Result;
use crate::installation;
use crate::keys::{self, AccountId};
use crate::redis::Redis;
use crate::scripts::open_session::{OpenSession, OpenSessionReply};
use crate::scripts::renew_hash::RenewHash;
use crate::scripts::reserve_attempt::AttemptBy;

/// The credentials of users (`Credentials<UserId>`) or of admins (`Credentials<AdminId>`). Cheap to
/// clone.
#[derive(Clone)]
pub struct Credentials<Id> {
    pub(super) redis: Redis,
    pub(super) claims: EmailClaims,
    people: PhantomData<Id>,
}

/// A reserved attempt to sign in, before the password is checked. An address without an account
/// gives an attempt too, and costs Redis the same, so that a caller cannot find out which addresses
/// exist.
#[derive(Debug)]
pub struct SignInAttempt<Id> {
    account: AccountId,
    reservation: Reservation,
    /// `None` if no account has the address.
    found: Option<(Id, PasswordHash)>,
    /// See [`ClaimOwner::unclaimed`](super::email_claims::ClaimOwner::unclaimed).
    unclaimed: Option<String>,
}

/// A reserved attempt of a signed-in person to confirm the password of an account.
#[derive(Debug)]
pub struct ConfirmationAttempt {
    pub reservation: Reservation,
    /// The hash to check the password against. `None` if there is no such account.
    pub credential: Option<PasswordHash>,
}

impl<Id> SignInAttempt<Id> {
    /// The hash to check the password against. `None` if no account has the address: the caller
    /// then checks against a decoy, which takes the same time.
    #[must_use]
    pub fn credential(&self) -> Option<&PasswordHash> {
        self.found.as_ref().map(|(_, credential)| credential)
    }

    /// What counts as a failed sign-in, unless a session is opened or it is taken back.
    #[must_use]
    pub fn reservation(&self) -> &Reservation {
        &self.reservation
    }
}

/// A session that was just opened.
#[derive(Debug, Clone)]
pub struct IssuedSession<Id> {
    pub person: Id,
    /// The secret that identifies the session. Redis stores only its hash.
    pub token: SessionToken,
    pub expires_at: Timestamp,
}

impl<Id: PersonId> Credentials<Id> {
    pub(crate) fn new(redis: &Redis, claims: &EmailClaims) -> Self {
        Self {
            redis: redis.clone(),
            claims: claims.clone(),
            people: PhantomData,
        }
    }

    /// Reserves an attempt and looks up the account of an address, before its password is checked.
    /// The attempt counts as failed, unless a session is opened or it is taken back. Two round
    /// trips. Fails with `TooManySignIns`.
    pub async fn begin(&self, email: &Email, origin: Origin) -> Result<SignInAttempt<Id>> {
        let claim = self.claims.owner(Id::PEOPLE, email).await?;
        let owner = claim.as_ref().and_then(|claim| Id::parse_id(&claim.id));
        let account = if let Some(id) = &owner {
            id.account()
        } else {
            let hash = self.claims.hash(email).await?;
            AccountId::Unclaimed(Id::PEOPLE, keys::unclaimed(&hash))
        };
        let network = self.claims.network_hash(&account, origin.network).await?;
        let by = AttemptBy::Network {
            hash: &network,
            blocked_for: origin.blocked_for,
        };
        let reserved = attempts::reserve(&self.redis, &account, by).await?;
        // The claim and the profile must agree, so that no half-finished creation or erasure opens
        // an account.
        let stored_email = reserved
            .email
            .and_then(|stored| Email::try_from(stored).ok());
        let agrees = stored_email.is_some_and(|stored| stored == *email);
        let credential = reserved.credential.filter(|_| agrees);
        Ok(SignInAttempt {
            account,
            reservation: reserved.reservation,
            found: owner.zip(credential),
            unclaimed: claim.and_then(|claim| claim.unclaimed),
        })
    }

    /// Reserves an attempt of the session of this token to confirm the password of an account. It
    /// counts as failed unless it is taken back. Neither a sign-in nor another session affects it.
    /// Fails with `TooManySignIns`.
    pub async fn begin_confirmation(
        &self,
        id: &Id,
        session: TokenHash,
    ) -> Result<ConfirmationAttempt> {
        let token = session.to_string();
        let by = AttemptBy::Session { token: &token };
        let reserved = attempts::reserve(&self.redis, &id.account(), by).await?;
        Ok(ConfirmationAttempt {
            reservation: reserved.reservation,
            credential: reserved.credential,
        })
    }

    /// Takes an attempt back: its password was right, or was not checked.
    pub async fn release(&self, reservation: &Reservation) -> Result<()> {
        attempts::release(&self.redis, reservation).await
    }

    /// Opens a session for a caller whose password was right. Fails with `Unauthenticated` if the
    /// password was changed, or the account disabled or erased, since it was checked.
    pub async fn open_session(&self, attempt: &SignInAttempt<Id>) -> Result<IssuedSession<Id>> {
        let found = attempt.found.as_ref();
        let (id, checked) = found.ok_or(Rejection::Unauthenticated)?;
        let token = id.session_token(&installation::random()?);
        let open = OpenSession {
            account: &attempt.account,
            checked,
            token: token.hash(),
            lifetime: Id::SESSION_LIFETIME,
            attempt: &attempt.reservation,
            known_for: NETWORK_LIFETIME,
        };
        let OpenSessionReply::Opened { expires_at } = self.redis.run(&open).await? else {
            return Err(Rejection::Unauthenticated.into());
        };
        if let Some(key) = &attempt.unclaimed
            && let Err(error) = self
                .claims
                .claim_canonical(key, attempt.account.as_str())
                .await
        {
            // The former form still finds the account, and the next sign-in tries again.
            warn!(%error, "cannot claim the canonical form of an e-mail address");
        }
        Ok(IssuedSession {
            person: id.clone(),
            token,
            expires_at,
        })
    }

    /// Replaces the hash that an attempt was checked against by another hash of the same password.
    /// Does nothing if the password was changed since.
    pub async fn renew_hash(&self, attempt: &SignInAttempt<Id>, new: &PasswordHash) -> Result<()> {
        let Some(checked) = attempt.credential() else {
            return Ok(());
        };
        let renew = RenewHash {
            account: &attempt.account,
            checked,
            new,
        };
        self.redis.run(&renew).await
    }
}
