//! Who a token stands for.

use deadpool_redis::redis::cmd;
use domain::{Rejection, RequestId, SessionToken, TokenHash, UserId};

use crate::Store;
use crate::accounts::Session;
use crate::error::Result;
use crate::keys::Account;
use crate::redis::decode;

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

    /// Ends the session of this token, or all sessions of the user.
    pub async fn end_user_sessions(&self, user: &UserId, token: Option<TokenHash>) -> Result<()> {
        self.end_sessions(&Account::of_user(user), token).await
    }
}
