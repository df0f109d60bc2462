//! Finds the caller of a session token, and ends sessions.

use deadpool_redis::redis::Cmd;
use domain::{AdminId, Rejection, RequestId, Role, SessionToken, TokenHash, UserId};

use crate::error::Result;
use crate::keys::{self, AccountId, AccountKey};
use crate::records::admin;
use crate::records::session::SessionRecord;
use crate::redis::Redis;
use crate::scripts::end_sessions::EndSessions;

/// The sessions of users and of admins. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    redis: Redis,
}

/// The state of a token.
enum TokenState {
    /// No session, or one that has ended.
    Unknown,
    Open,
    /// The account was erased by this request, with this very token.
    Erased(RequestId),
}

impl Sessions {
    pub(crate) fn new(redis: &Redis) -> Self {
        Self {
            redis: redis.clone(),
        }
    }

    /// The user of an open session; `None` = there is no such session, or it has ended.
    pub async fn user(&self, token: &SessionToken) -> Result<Option<UserId>> {
        let user = user_of(token)?;
        let state = self.state(&user, token.hash()).await?;
        Ok(matches!(state, TokenState::Open).then_some(user))
    }

    /// As [`Sessions::user`], and also the user whose account this very token erased in the last 24
    /// hours: that request may be repeated, and gets the same reply.
    pub async fn user_or_erased(&self, token: &SessionToken) -> Result<Option<UserId>> {
        let user = user_of(token)?;
        let state = self.state(&user, token.hash()).await?;
        Ok((!matches!(state, TokenState::Unknown)).then_some(user))
    }

    /// The admin of an open session; `None` = there is no such session, it has ended, or the admin
    /// is disabled.
    pub async fn admin(&self, token: &SessionToken) -> Result<Option<(AdminId, Role)>> {
        let id = AdminId::parse(token.subject()).map_err(|_| Rejection::Unauthenticated)?;
        let session = session_of(AccountKey::Sessions.of_admin(&id), token.hash());
        let mut profile = Cmd::new();
        profile
            .arg("HMGET")
            .arg(AccountKey::Profile.of_admin(&id))
            .arg(&["role", "disabled"]);
        let (session, (role, disabled)): (Option<String>, (Option<String>, Option<String>)) =
            self.redis.read_tuple([session, profile]).await?;
        let is_open = matches!(self.parse_state(session.as_deref())?, TokenState::Open);
        let is_enabled = disabled.as_deref() == Some("0");
        role.filter(|_| is_open && is_enabled)
            .map(|role| Ok((id, admin::parse_role(&role)?)))
            .transpose()
    }

    /// Whether this is the bootstrap token, spent or not. The request that it was spent on may be
    /// repeated; any other is refused when the first owner is created.
    pub async fn is_bootstrap(&self, token: &SessionToken) -> Result<bool> {
        let stored: Option<String> = self.redis.read(Cmd::get(keys::BOOTSTRAP)).await?;
        let hash = token.hash().to_string();
        // The hash of the token, then a blank and the request that it was spent on, if any.
        Ok(stored.is_some_and(|stored| stored.split(' ').next() == Some(hash.as_str())))
    }

    /// The request of this token that erased the account, if one did in the last 24 hours.
    pub(crate) async fn erased_by(
        &self,
        user: &UserId,
        token: TokenHash,
    ) -> Result<Option<RequestId>> {
        Ok(match self.state(user, token).await? {
            TokenState::Erased(request) => Some(request),
            TokenState::Open | TokenState::Unknown => None,
        })
    }

    /// Ends the session of a token; `None` = all sessions of the account.
    pub(crate) async fn end(&self, account: &AccountId, token: Option<TokenHash>) -> Result<()> {
        self.redis.run(&EndSessions { account, token }).await
    }

    async fn state(&self, user: &UserId, token: TokenHash) -> Result<TokenState> {
        let session = session_of(AccountKey::Sessions.of_user(user), token);
        let session: Option<String> = self.redis.read(session).await?;
        self.parse_state(session.as_deref())
    }

    fn parse_state(&self, session: Option<&str>) -> Result<TokenState> {
        let Some(session) = session else {
            return Ok(TokenState::Unknown);
        };
        Ok(match SessionRecord::parse(session)? {
            SessionRecord::Erased(request) => TokenState::Erased(request),
            SessionRecord::Issued(times) if times.expires_at > self.redis.now() => TokenState::Open,
            SessionRecord::Issued(_) => TokenState::Unknown,
        })
    }
}

fn user_of(token: &SessionToken) -> Result<UserId> {
    let user = UserId::parse(token.subject()).map_err(|_| Rejection::Unauthenticated)?;
    Ok(user)
}

fn session_of(sessions: String, token: TokenHash) -> Cmd {
    Cmd::hget(sessions, token.to_string())
}
