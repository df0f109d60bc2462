//! Signing in with an e-mail address and a password. The password itself is checked by the caller:
//! the store only knows its hash.

use std::marker::PhantomData;
use std::time::Duration;

use deadpool_redis::redis::Cmd;
use domain::{Email, Rejection, SessionToken, Timestamp};

use super::{EmailClaims, PasswordHash, PersonId};
use crate::error::Result;
use crate::installation;
use crate::keys::{AccountId, AccountKey};
use crate::redis::Redis;
use crate::scripts::fail_sign_in::FailSignIn;
use crate::scripts::open_session::{OpenSession, OpenSessionReply};

/// How many sign-ins may fail within [`THROTTLE_WINDOW`] before further ones are refused.
pub const MAX_FAILED_SIGN_INS: u32 = 10;
/// The time in which failed sign-ins are counted. It begins with the first one.
pub const THROTTLE_WINDOW: Duration = Duration::from_secs(15 * 60);

/// The credentials of users (`Credentials<UserId>`) or of admins (`Credentials<AdminId>`). Cheap to
/// clone.
#[derive(Clone)]
pub struct Credentials<Id> {
    redis: Redis,
    claims: EmailClaims,
    people: PhantomData<Id>,
}

/// An attempt to sign in, before the password is checked. An address without an account gives an
/// attempt too, and costs Redis the same, so that a caller cannot find out which addresses exist.
#[derive(Debug)]
pub struct SignInAttempt<Id> {
    account: AccountId,
    /// `None` if no account has the address.
    found: Option<(Id, PasswordHash)>,
}

impl<Id> SignInAttempt<Id> {
    /// The hash to check the password against. `None` if no account has the address: the caller
    /// then checks against a decoy, which takes the same time.
    #[must_use]
    pub fn credential(&self) -> Option<&PasswordHash> {
        self.found.as_ref().map(|(_, credential)| credential)
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

    /// Looks up the account of an address, before its password is checked. Fails with
    /// `TooManySignIns`.
    pub async fn find(&self, email: &Email) -> Result<SignInAttempt<Id>> {
        let hash = self.claims.hash(email).await?;
        let owner = self.claims.owner(Id::PEOPLE, &hash).await?;
        let owner = owner.and_then(|owner| Id::parse_id(&owner));
        let account = match &owner {
            Some(id) => id.account(),
            None => AccountId::Unclaimed(Id::PEOPLE, hash),
        };
        let found = self.read_password(&account, email).await?;
        Ok(SignInAttempt {
            account,
            found: owner.zip(found),
        })
    }

    /// Reads the password of an account with this address. Fails if the account is throttled.
    async fn read_password(
        &self,
        account: &AccountId,
        email: &Email,
    ) -> Result<Option<PasswordHash>> {
        let throttle = AccountKey::Throttle.of(account);
        let commands = [
            Cmd::get(&throttle),
            Cmd::pttl(&throttle),
            Cmd::get(AccountKey::Credential.of(account)),
            Cmd::hget(AccountKey::Profile.of(account), "email"),
        ];
        let (failures, wait_millis, credential, stored_email): (
            Option<u32>,
            i64,
            Option<String>,
            Option<String>,
        ) = self.redis.read_tuple(commands).await?;
        if failures.is_some_and(|failures| failures >= MAX_FAILED_SIGN_INS) {
            let retry_after = Duration::from_millis(u64::try_from(wait_millis).unwrap_or(1));
            return Err(Rejection::TooManySignIns { retry_after }.into());
        }
        // The claim and the profile must agree, so that no half-finished creation or erasure opens
        // an account.
        let agrees = stored_email
            .and_then(|stored| Email::try_from(stored).ok())
            .is_some_and(|stored| stored == *email);
        Ok(credential.filter(|_| agrees).map(PasswordHash::new))
    }

    /// Counts a sign-in with a wrong password.
    pub async fn count_failure(&self, attempt: &SignInAttempt<Id>) -> Result<()> {
        let failure = FailSignIn {
            account: &attempt.account,
            window: THROTTLE_WINDOW,
        };
        self.redis.run(&failure).await
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
        };
        match self.redis.run(&open).await? {
            OpenSessionReply::Opened { expires_at } => Ok(IssuedSession {
                person: id.clone(),
                token,
                expires_at,
            }),
            OpenSessionReply::Refused => Err(Rejection::Unauthenticated.into()),
        }
    }
}
