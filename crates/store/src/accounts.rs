//! What users' and admins' accounts have in common: an address, a password, sessions.
//!
//! An account is made by claiming its address, writing the account, then confirming the claim. To sign
//! in, the claim and the account must agree, so that no half-done change opens an account.

use std::time::Duration;

use deadpool_redis::redis::{Pipeline, Value, cmd};
use domain::{Email, Rejected, Rejection, RequestId, SessionToken, Timestamp, TokenHash};

use crate::error::{Error, Result};
use crate::keys::{self, Account, People};
use crate::redis::Kind;
use crate::reply::{Fields, Reply, decode, unreadable};
use crate::{Store, installation, script};

/// How long a user stays signed in: 30 days.
pub const USER_SESSION: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long an admin stays signed in: 12 hours, a long working day.
pub const ADMIN_SESSION: Duration = Duration::from_secs(12 * 60 * 60);
/// How many sign-ins may fail within [`THROTTLE_WINDOW`] before the account takes no more for a while.
pub const FAILED_SIGN_INS: u32 = 10;
/// The window that begins with the first failed sign-in.
pub const THROTTLE_WINDOW: Duration = Duration::from_secs(15 * 60);

/// The hash of a password, as argon2 writes it (PHC string). Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// A session that was opened.
#[derive(Debug, Clone)]
pub struct OpenSession {
    /// What the person shows from now on.
    pub token: SessionToken,
    /// Until when.
    pub expires_at: Timestamp,
}

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
            .pipeline(&pipeline, Kind::Harmless)
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
        self.redis.run(call, Kind::Harmless).await.map(drop)
    }

    /// Opens a session for somebody whose password was right. `Unauthenticated` if the password was
    /// changed, or the account disabled or erased, since it was checked.
    pub async fn open_session(&self, attempt: &SignInAttempt) -> Result<OpenSession> {
        let refused = || Error::from(Rejection::Unauthenticated);
        let checked = attempt.credential.as_ref().ok_or_else(refused)?;
        let secret = installation::random()?;
        let (token, life) = match attempt.people {
            People::Users => {
                let id = domain::UserId::parse(attempt.id.clone()).map_err(|_| refused())?;
                (SessionToken::of_user(&id, &secret), USER_SESSION)
            }
            People::Admins => {
                let id = domain::AdminId::parse(attempt.id.clone()).map_err(|_| refused())?;
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
        let mut reply = Reply::read(self.redis.run(call, Kind::Deciding).await?)?;
        match reply.word() {
            "opened" => Ok(OpenSession {
                token,
                expires_at: reply.timestamp()?,
            }),
            "refused" => Err(refused()),
            _ => Err(reply.unknown()),
        }
    }

    /// Ends the session of this token, or all sessions of the person.
    pub(crate) async fn end_sessions(
        &self,
        account: &Account,
        token: Option<TokenHash>,
    ) -> Result<()> {
        let call = script::END_SESSIONS
            .on(&[account.sessions(), account.log()])
            .arg(token.map(|token| token.to_string()).unwrap_or_default());
        self.redis.run(call, Kind::Deciding).await.map(drop)
    }

    /// Who has this address, if the claim is confirmed.
    pub(crate) async fn owner_of_email(
        &self,
        people: People,
        hash: &str,
    ) -> Result<Option<String>> {
        let mut get = cmd("GET");
        get.arg(keys::email_claim(people, hash));
        let claim: Option<String> = decode(self.redis.command(get).await?)?;
        Ok(claim.filter(|claim| !claim.starts_with(PENDING)))
    }

    /// Makes an account: claim, account, confirmation. `session` is the hash of a first token.
    pub(crate) async fn create_account(
        &self,
        new: &NewAccount<'_>,
        session: Option<(TokenHash, Duration)>,
    ) -> Result<Created> {
        let account = Account::of(new.people, &new.id);
        let hash = self.installation.email_hash(&self.redis, new.email).await?;
        let claim = keys::email_claim(new.people, &hash);
        let nonce = data_encoding::BASE32_DNSSEC.encode(&installation::random()?[..10]);
        self.claim_email(new, &claim, &nonce).await?;

        let keys = [
            account.profile(),
            account.credential(),
            account.sessions(),
            account.log(),
            account.request(new.request),
        ];
        let (token, life) = session.map_or((String::new(), Duration::ZERO), |(token, life)| {
            (token.to_string(), life)
        });
        let mut call = script::CREATE_ACCOUNT
            .on(&keys)
            .arg(new.request.to_string())
            .arg(&new.fingerprint)
            .arg(self.redis.write_deadline())
            .arg(&new.credential.0)
            .arg(token)
            .arg(millis(life));
        for (name, value) in &new.profile {
            call = call.arg(*name).arg(value);
        }
        let reply = Reply::read(self.redis.run(call, Kind::Deciding).await?)?;
        let created = match reply.word() {
            "created" => {
                let mut fields = reply.fields();
                Created {
                    created_at: fields.timestamp("created_at")?,
                    session_expires_at: fields.timestamp("expires_at")?,
                }
            }
            "request_id_reused" | "exists" => return Err(Rejection::RequestIdReused.into()),
            "too_late" => return Err(Error::TooLate),
            _ => return Err(reply.unknown()),
        };

        let call = script::CONFIRM_EMAIL.on(&[claim]).arg(&new.id).arg(nonce);
        let reply = Reply::read(self.redis.run(call, Kind::Deciding).await?)?;
        match reply.word() {
            "confirmed" => Ok(created),
            // Ten minutes passed, and somebody else was faster: this account can never be opened.
            "lost" => Err(Rejection::EmailTaken.into()),
            _ => Err(reply.unknown()),
        }
    }

    async fn claim_email(&self, new: &NewAccount<'_>, claim: &str, nonce: &str) -> Result<()> {
        for _ in 0..2 {
            let call = script::CLAIM_EMAIL.on(&[claim]).arg(&new.id).arg(nonce);
            let mut reply = Reply::read(self.redis.run(call, Kind::Harmless).await?)?;
            match reply.word() {
                "claimed" | "owned" => return Ok(()),
                "pending" => return Err(Rejection::EmailTaken.into()),
                "taken" => {
                    let owner = reply.text()?;
                    if self.has_profile(new.people, &owner).await? {
                        return Err(Rejection::EmailTaken.into());
                    }
                    // An account was erased, and its address not yet freed.
                    let call = script::RELEASE_EMAIL.on(&[claim]).arg(owner);
                    self.redis.run(call, Kind::Harmless).await?;
                }
                _ => return Err(reply.unknown()),
            }
        }
        Err(Rejection::EmailTaken.into())
    }

    async fn has_profile(&self, people: People, id: &str) -> Result<bool> {
        let mut exists = cmd("EXISTS");
        exists.arg(Account::of(people, id).profile());
        decode(self.redis.command(exists).await?)
    }

    /// Reads the fields of a profile; empty = there is none.
    pub(crate) async fn read_profile(&self, account: &Account) -> Result<Fields> {
        let mut read = cmd("HGETALL");
        read.arg(account.profile());
        Ok(Fields::of(decode(self.redis.command(read).await?)?))
    }

    /// What the account's sessions say of this token.
    pub(crate) fn read_session(&self, value: Option<&str>) -> Result<Session> {
        let Some(value) = value else {
            return Ok(Session::None);
        };
        if let Some(request) = value.strip_prefix("erased ") {
            let request = RequestId::parse(request).map_err(|_| unreadable("a session"))?;
            return Ok(Session::Erased(request));
        }
        let expires_at = value
            .split_once(' ')
            .and_then(|(_, expires)| expires.parse().ok());
        let expires_at = expires_at.and_then(|millis| Timestamp::from_millis(millis).ok());
        let expires_at = expires_at.ok_or_else(|| unreadable("a session"))?;
        Ok(if expires_at > self.now() {
            Session::Open
        } else {
            Session::None
        })
    }
}

/// What stands behind a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session {
    /// Nothing, or a session that has ended.
    None,
    /// A session.
    Open,
    /// The account was erased by this request of this very token.
    Erased(RequestId),
}

/// An account to make.
pub(crate) struct NewAccount<'a> {
    pub(crate) people: People,
    pub(crate) id: String,
    pub(crate) email: &'a Email,
    pub(crate) credential: &'a PasswordHash,
    pub(crate) profile: Vec<(&'static str, String)>,
    pub(crate) request: RequestId,
    pub(crate) fingerprint: String,
}

/// When an account was made, and until when its first session is good.
pub(crate) struct Created {
    pub(crate) created_at: Timestamp,
    pub(crate) session_expires_at: Timestamp,
}

/// What an unconfirmed claim begins with.
const PENDING: &str = "pending:";

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A rejection about an account that is not there.
pub(crate) fn user_not_found(id: &domain::UserId) -> Rejected {
    Rejected::from(Rejection::UserNotFound).about_user(id)
}
