//! How an account is opened: by its address and its password.

use std::time::Duration;

use deadpool_redis::redis::{Pipeline, Value};
use domain::{AdminId, Email, Rejection, SessionToken, UserId};

use super::session::{ADMIN_SESSION, OpenSession, USER_SESSION};
use super::{PasswordHash, millis};
use crate::error::{Error, Result};
use crate::keys::{Account, People};
use crate::redis::Effect;
use crate::redis::{ReplyReader, decode};
use crate::{Store, installation, script};

/// How many sign-ins may fail within [`THROTTLE_WINDOW`] before the account takes no more for a while.
pub const FAILED_SIGN_INS: u32 = 10;
/// The window that begins with the first failed sign-in.
pub const THROTTLE_WINDOW: Duration = Duration::from_secs(15 * 60);

/// Somebody who wants to sign in, before the password is checked. It looks the same whether there is
/// such an account or not, and costs Redis the same.
#[derive(Debug)]
pub struct SignInAttempt {
    people: People,
    id: String,
    credential: Option<PasswordHash>,
}

impl SignInAttempt {
    /// The password to check against; `None` = there is no such account, check against a decoy.
    #[must_use]
    pub fn credential(&self) -> Option<&PasswordHash> {
        self.credential.as_ref()
    }

    fn account(&self) -> Account {
        Account::of(self.people, &self.id)
    }
}

impl Store {
    /// Looks up who wants to sign in to user-service. Fails with `TooManySignIns`.
    pub async fn user_sign_in(&self, email: &Email) -> Result<SignInAttempt> {
        self.begin_sign_in(People::Users, email).await
    }

    /// Looks up who wants to sign in to admin-service. Fails with `TooManySignIns`.
    pub async fn admin_sign_in(&self, email: &Email) -> Result<SignInAttempt> {
        self.begin_sign_in(People::Admins, email).await
    }

    async fn begin_sign_in(&self, people: People, email: &Email) -> Result<SignInAttempt> {
        let hash = self.installation.email_hash(&self.redis, email).await?;
        let owner = self.owner_of_email(people, &hash).await?;
        // An address that nobody has gets the account that it would have, so that it is throttled,
        // answered and timed like any other.
        let id = owner.unwrap_or_else(|| hash.clone());
        let account = Account::of(people, &id);
        let mut pipeline = Pipeline::with_capacity(4);
        pipeline.cmd("GET").arg(account.throttle());
        pipeline.cmd("PTTL").arg(account.throttle());
        pipeline.cmd("GET").arg(account.credential());
        pipeline.cmd("HGET").arg(account.profile()).arg("email");
        let mut answers = self
            .redis
            .pipeline(&pipeline, Effect::Prepare)
            .await?
            .into_iter();
        let mut next = || answers.next().unwrap_or(Value::Nil);
        let failed: Option<u32> = decode(next())?;
        let wait_millis: i64 = decode(next())?;
        let credential: Option<String> = decode(next())?;
        let written: Option<String> = decode(next())?;
        if failed.is_some_and(|failed| failed >= FAILED_SIGN_INS) {
            let retry_after = Duration::from_millis(u64::try_from(wait_millis).unwrap_or(1));
            return Err(Rejection::TooManySignIns { retry_after }.into());
        }
        let agrees = written
            .and_then(|written| Email::parse(written).ok())
            .is_some_and(|written| written == *email);
        Ok(SignInAttempt {
            people,
            credential: credential.filter(|_| agrees).map(PasswordHash),
            id,
        })
    }

    /// Counts a sign-in with a wrong password.
    pub async fn sign_in_failed(&self, attempt: &SignInAttempt) -> Result<()> {
        let call = script::FAIL_SIGN_IN
            .on(&[attempt.account().throttle()])
            .arg(millis(THROTTLE_WINDOW));
        self.redis.run_call(call, Effect::Prepare).await.map(drop)
    }

    /// Opens a session for somebody whose password was right. `Unauthenticated` if the password was
    /// changed, or the account disabled or erased, since it was checked.
    pub async fn open_session(&self, attempt: &SignInAttempt) -> Result<OpenSession> {
        let refused = || Error::from(Rejection::Unauthenticated);
        let checked = attempt.credential.as_ref().ok_or_else(refused)?;
        let secret = installation::random()?;
        let (token, life) = match attempt.people {
            People::Users => {
                let id = UserId::parse(attempt.id.clone()).map_err(|_| refused())?;
                (SessionToken::of_user(&id, &secret), USER_SESSION)
            }
            People::Admins => {
                let id = AdminId::parse(attempt.id.clone()).map_err(|_| refused())?;
                (SessionToken::of_admin(&id, &secret), ADMIN_SESSION)
            }
        };
        let account = attempt.account();
        let keys = [
            account.profile(),
            account.credential(),
            account.sessions(),
            account.throttle(),
            account.log(),
        ];
        let call = script::OPEN_SESSION
            .on(&keys)
            .arg(&checked.0)
            .arg(token.hash().to_string())
            .arg(millis(life));
        let mut reply = ReplyReader::new(self.redis.run_call(call, Effect::Decide).await?)?;
        match reply.word() {
            "opened" => Ok(OpenSession {
                token,
                expires_at: reply.timestamp()?,
            }),
            "refused" => Err(refused()),
            _ => Err(reply.unexpected()),
        }
    }
}
