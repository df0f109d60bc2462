//! Users' accounts.

use deadpool_redis::redis::{Pipeline, cmd};
use domain::{
    Email, Etag, Profile, ProfilePatch, Rejection, RequestId, SessionToken, Timestamp, TokenHash,
    User, UserId,
};

use crate::accounts::{
    NewAccount, OpenSession, PasswordHash, Session, USER_SESSION, user_not_found,
};
use crate::error::Result;
use crate::fingerprint::fingerprint;
use crate::keys::{self, Account, People};
use crate::page::{Cursor, Page, PageRequest};
use crate::redis::Kind;
use crate::reply::{Fields, Reply, decode, unreadable};
use crate::{Store, script, shards};

/// An account to make.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Where the person is reached.
    pub email: Email,
    /// What the person says of themselves.
    pub profile: Profile,
    /// Which intention this is.
    pub request_id: RequestId,
}

/// Something that happened to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEvent {
    /// When, by Redis's clock.
    pub at: Timestamp,
    /// What, such as `sign_up`, `sign_in`, `change_password`.
    pub action: String,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTimes {
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Store {
    /// Who this token stands for; `None` = nobody, or nobody any more.
    pub async fn user_session(&self, token: &SessionToken) -> Result<Option<UserId>> {
        Ok(match self.session_of_user(token).await? {
            (Session::Open, user) => Some(user),
            _ => None,
        })
    }

    /// The same, and also the user whose account this very token erased in the last 24 hours: that
    /// request may be repeated, and answers as the first time.
    pub async fn user_session_or_erased(&self, token: &SessionToken) -> Result<Option<UserId>> {
        Ok(match self.session_of_user(token).await? {
            (Session::None, _) => None,
            (_, user) => Some(user),
        })
    }

    async fn session_of_user(&self, token: &SessionToken) -> Result<(Session, UserId)> {
        let user = UserId::parse(token.subject()).map_err(|_| Rejection::Unauthenticated)?;
        let mut read = cmd("HGET");
        read.arg(Account::of_user(&user).sessions())
            .arg(token.hash().to_string());
        let value: Option<String> = decode(self.redis.command(read).await?)?;
        Ok((self.read_session(value.as_deref())?, user))
    }

    /// Makes an account and opens its first session. A repetition with the same request id answers
    /// the same account and the same token: the caller must check the password of a repetition
    /// against [`Store::user_credential`], since a password is never part of a fingerprint.
    pub async fn sign_up(
        &self,
        new: &NewUser,
        password: &PasswordHash,
    ) -> Result<(User, OpenSession)> {
        let email = new.email.canonical();
        let made = self
            .installation
            .made_id(&self.redis, "user", &email, new.request_id)
            .await?;
        let id = UserId::from_bytes(made);
        let secret = self
            .installation
            .first_token(&self.redis, id.as_str(), new.request_id)
            .await?;
        let token = SessionToken::of_user(&id, &secret);
        let mut enter = cmd("ZADD");
        enter
            .arg(keys::directory(keys::part_of(id.as_str())))
            .arg(0)
            .arg(id.as_str());
        self.redis.command(enter).await?;
        let mut profile = vec![("email", new.email.as_str().to_owned())];
        profile.extend(written(&new.profile));
        let account = NewAccount {
            people: People::Users,
            id: id.to_string(),
            email: &new.email,
            credential: password,
            profile,
            request: new.request_id,
            fingerprint: fingerprint(&("sign_up", new.email.as_str(), &new.profile))?,
        };
        let created = self
            .create_account(&account, Some((token.hash(), USER_SESSION)))
            .await?;
        let user = User {
            id,
            email: new.email.clone(),
            profile: new.profile.clone(),
            version: 1,
            created_at: created.created_at,
            updated_at: created.created_at,
        };
        let session = OpenSession {
            token,
            expires_at: created.session_expires_at,
        };
        Ok((user, session))
    }

    /// Ends the session of this token, or all sessions of the user.
    pub async fn end_user_sessions(&self, user: &UserId, token: Option<TokenHash>) -> Result<()> {
        self.end_sessions(&Account::of_user(user), token).await
    }

    /// The hash of a user's password.
    pub async fn user_credential(&self, user: &UserId) -> Result<PasswordHash> {
        let mut read = cmd("GET");
        read.arg(Account::of_user(user).credential());
        let credential: Option<String> = decode(self.redis.command(read).await?)?;
        credential
            .map(PasswordHash)
            .ok_or_else(|| user_not_found(user).into())
    }

    /// Reads a user.
    pub async fn get_user(&self, id: &UserId) -> Result<User> {
        self.find_user(id)
            .await?
            .ok_or_else(|| user_not_found(id).into())
    }

    /// Reads a user, who may be gone.
    pub async fn find_user(&self, id: &UserId) -> Result<Option<User>> {
        let fields = self.read_profile(&Account::of_user(id)).await?;
        (!fields.is_empty())
            .then(|| read_user(id.clone(), fields))
            .transpose()
    }

    /// Reads users, who may be gone, in one round trip.
    pub(crate) async fn find_users(&self, ids: &[UserId]) -> Result<Vec<Option<User>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = Pipeline::with_capacity(ids.len());
        for id in ids {
            pipeline.cmd("HGETALL").arg(Account::of_user(id).profile());
        }
        let answers = self.redis.pipeline(&pipeline, Kind::Harmless).await?;
        ids.iter()
            .zip(answers)
            .map(|(id, answer)| {
                let fields = Fields::of(decode(answer)?);
                (!fields.is_empty())
                    .then(|| read_user(id.clone(), fields))
                    .transpose()
            })
            .collect()
    }

    /// Finds the user who has this address.
    pub async fn find_user_by_email(&self, email: &Email) -> Result<Option<User>> {
        let hash = self.installation.email_hash(&self.redis, email).await?;
        let Some(owner) = self.owner_of_email(People::Users, &hash).await? else {
            return Ok(None);
        };
        let id = UserId::parse(owner).map_err(|_| unreadable("the owner of an address"))?;
        let user = self.find_user(&id).await?;
        Ok(user.filter(|user| user.email == *email))
    }

    /// Lists users in the order of their ids. Two round trips.
    pub async fn list_users(&self, page: &PageRequest) -> Result<Page<User>> {
        let after = page.after_text();
        let slice = shards::read(&self.redis, keys::directory, after, "", page.size).await?;
        let shown = &slice.members[..slice.members.len().min(page.size)];
        let ids = shown
            .iter()
            .map(|id| {
                UserId::parse(id.as_str()).map_err(|_| unreadable("a member of the directory"))
            })
            .collect::<Result<Vec<_>>>()?;
        let items = self.find_users(&ids).await?.into_iter().flatten().collect();
        let is_last = slice.is_last && shown.len() == slice.members.len();
        let next = shown
            .last()
            .filter(|_| !is_last)
            .map(|last| Cursor::of_text(last));
        Ok(Page { items, next })
    }

    /// Changes what the patch names. With an etag only that version is changed; without one the
    /// patch is applied to whatever version is there.
    pub async fn update_user(
        &self,
        id: &UserId,
        patch: &ProfilePatch,
        etag: Option<&Etag>,
        request: RequestId,
    ) -> Result<User> {
        /// How many others may change the profile meanwhile.
        const MOST_CONFLICTS: usize = 16;
        let account = Account::of_user(id);
        let print = fingerprint(&("update", format!("{patch:?}"), etag.map(Etag::as_str)))?;
        let keys = [account.profile(), account.log(), account.request(request)];
        for _ in 0..MOST_CONFLICTS {
            let user = self.get_user(id).await?;
            let profile = patch.clone().apply(user.profile.clone());
            let is_old = etag.is_some_and(|etag| *etag != user.etag());
            // An old etag is refused by the script, unless the request is a repetition.
            let version = if is_old { 0 } else { user.version };
            let mut call = script::UPDATE_PROFILE
                .on(&keys)
                .arg(request.to_string())
                .arg(&print)
                .arg(version);
            for (name, value) in written(&profile) {
                call = call.arg(name).arg(value);
            }
            let reply = Reply::read(self.redis.run(call, Kind::Deciding).await?)?;
            match reply.word() {
                "changed" => return read_user(id.clone(), reply.fields()),
                "old_version" if !is_old => {}
                "old_version" => break,
                "absent" => return Err(user_not_found(id).into()),
                "request_id_reused" => return Err(Rejection::RequestIdReused.into()),
                _ => return Err(reply.unknown()),
            }
        }
        Err(Rejection::EtagMismatch.into())
    }

    /// Whether this request of the user changed something in the last 24 hours.
    pub async fn user_request_is_known(&self, user: &UserId, request: RequestId) -> Result<bool> {
        let mut exists = cmd("EXISTS");
        exists.arg(Account::of_user(user).request(request));
        decode(self.redis.command(exists).await?)
    }

    /// Sets a new password, if `checked` is still the old one, and ends all sessions but `kept`.
    pub async fn change_password(
        &self,
        user: &UserId,
        checked: &PasswordHash,
        new: &PasswordHash,
        kept: TokenHash,
        request: RequestId,
    ) -> Result<()> {
        let account = Account::of_user(user);
        let keys = [
            account.credential(),
            account.sessions(),
            account.log(),
            account.request(request),
        ];
        let call = script::CHANGE_PASSWORD
            .on(&keys)
            .arg(request.to_string())
            .arg(&checked.0)
            .arg(&new.0)
            .arg(kept.to_string());
        let reply = Reply::read(self.redis.run(call, Kind::Deciding).await?)?;
        match reply.word() {
            "changed" => Ok(()),
            "refused" => Err(Rejection::Unauthenticated.into()),
            _ => Err(reply.unknown()),
        }
    }

    /// Which request of this token erased the account, if one did.
    pub async fn erased_by(&self, user: &UserId, token: TokenHash) -> Result<Option<RequestId>> {
        let mut read = cmd("HGET");
        read.arg(Account::of_user(user).sessions())
            .arg(token.to_string());
        let value: Option<String> = decode(self.redis.command(read).await?)?;
        Ok(match self.read_session(value.as_deref())? {
            Session::Erased(request) => Some(request),
            _ => None,
        })
    }

    /// Withdraws a user from all that is not over, then erases the account and all personal data, if
    /// `checked` is still the password.
    pub async fn erase_user(
        &self,
        user: &UserId,
        checked: &PasswordHash,
        token: TokenHash,
        request: RequestId,
    ) -> Result<()> {
        let account = Account::of_user(user);
        let email = self.get_user(user).await?.email;
        let hash = self.installation.email_hash(&self.redis, &email).await?;
        loop {
            let seen = self.withdraw_from_all(user, request).await?;
            let keys = [
                account.profile(),
                account.credential(),
                account.sessions(),
                account.competitions(),
                account.added(),
                account.log(),
                account.throttle(),
                account.request(request),
            ];
            let mut call = script::ERASE_USER
                .on(&keys)
                .arg(request.to_string())
                .arg(&checked.0)
                .arg(token.to_string());
            for competition in seen {
                call = call.arg(competition.as_str());
            }
            let reply = Reply::read(self.redis.run(call, Kind::Deciding).await?)?;
            match reply.word() {
                "erased" => break,
                "more" => {}
                "refused" => return Err(Rejection::Unauthenticated.into()),
                _ => return Err(reply.unknown()),
            }
        }
        let claim = keys::email_claim(People::Users, &hash);
        let release = script::RELEASE_EMAIL.on(&[claim]).arg(user.as_str());
        self.redis.run(release, Kind::Harmless).await?;
        let mut leave = cmd("ZREM");
        leave
            .arg(keys::directory(keys::part_of(user.as_str())))
            .arg(user.as_str());
        self.redis.command(leave).await.map(drop)
    }

    /// A user's open sessions and what happened to the account, the oldest first.
    pub async fn account_history(
        &self,
        user: &UserId,
    ) -> Result<(Vec<SessionTimes>, Vec<AccountEvent>)> {
        let account = Account::of_user(user);
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.cmd("HVALS").arg(account.sessions());
        pipeline.cmd("XRANGE").arg(account.log()).arg("-").arg("+");
        let mut answers = self
            .redis
            .pipeline(&pipeline, Kind::Harmless)
            .await?
            .into_iter();
        let (Some(sessions), Some(events)) = (answers.next(), answers.next()) else {
            return Err(unreadable("a short answer"));
        };
        let sessions: Vec<String> = decode(sessions)?;
        let mut sessions = sessions
            .iter()
            .map(|times| read_times(times))
            .collect::<Result<Vec<_>>>()?;
        sessions.retain(|session| session.expires_at > self.now());
        sessions.sort_by_key(|session| session.created_at);
        let events: Vec<(String, Vec<String>)> = decode(events)?;
        let events = events
            .into_iter()
            .map(|(id, fields)| read_event(&id, Fields::of(fields)))
            .collect::<Result<Vec<_>>>()?;
        Ok((sessions, events))
    }
}

fn read_times(times: &str) -> Result<SessionTimes> {
    let read = |millis: &str| {
        millis
            .parse()
            .ok()
            .and_then(|millis| Timestamp::from_millis(millis).ok())
    };
    let times = times.split_once(' ').and_then(|(created, expires)| {
        Some(SessionTimes {
            created_at: read(created)?,
            expires_at: read(expires)?,
        })
    });
    times.ok_or_else(|| unreadable("a session"))
}

fn read_event(id: &str, mut fields: Fields) -> Result<AccountEvent> {
    let millis = id
        .split_once('-')
        .and_then(|(millis, _)| millis.parse().ok());
    let at = millis.and_then(|millis| Timestamp::from_millis(millis).ok());
    Ok(AccountEvent {
        at: at.ok_or_else(|| unreadable("the id of an account's log entry"))?,
        action: fields.text("action"),
    })
}

/// The fields of a profile as they are stored; empty = absent.
fn written(profile: &Profile) -> Vec<(&'static str, String)> {
    let text = |value: Option<String>| value.unwrap_or_default();
    vec![
        ("display_name", profile.display_name.to_string()),
        (
            "country_code",
            text(profile.country_code.map(|code| code.to_string())),
        ),
        (
            "birth_date",
            text(profile.birth_date.map(|date| date.to_string())),
        ),
        ("club", profile.club.to_string()),
    ]
}

fn read_user(id: UserId, mut fields: Fields) -> Result<User> {
    Ok(User {
        id,
        email: fields.get("email")?,
        profile: Profile {
            display_name: fields.get("display_name")?,
            country_code: fields.optional("country_code")?,
            birth_date: fields.optional("birth_date")?,
            club: fields.get("club")?,
        },
        version: fields.number("version")?,
        created_at: fields.timestamp("created_at")?,
        updated_at: fields.timestamp("updated_at")?,
    })
}
