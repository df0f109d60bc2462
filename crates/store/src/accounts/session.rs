//! What stands behind a token.

use std::time::Duration;

use domain::{RequestId, SessionToken, Timestamp, TokenHash};

use crate::error::Result;
use crate::keys::Account;
use crate::legacy::unreadable;
use crate::redis::Effect;
use crate::{Store, script};

/// How long a user stays signed in: 30 days.
pub const USER_SESSION: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long an admin stays signed in: 12 hours, a long working day.
pub const ADMIN_SESSION: Duration = Duration::from_secs(12 * 60 * 60);
/// A session that was opened.
#[derive(Debug, Clone)]
pub struct OpenSession {
    /// What the person shows from now on.
    pub token: SessionToken,
    /// Until when.
    pub expires_at: Timestamp,
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

impl Store {
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

    /// Ends the session of this token, or all sessions of the person.
    pub(crate) async fn end_sessions(
        &self,
        account: &Account,
        token: Option<TokenHash>,
    ) -> Result<()> {
        let call = script::END_SESSIONS
            .on(&[account.sessions(), account.log()])
            .arg(token.map(|token| token.to_string()).unwrap_or_default());
        self.redis.run_call(call, Effect::Decide).await.map(drop)
    }
}
