//! Erases the account of a user: withdraws the user from every competition that is not over, erases
//! the account, then releases the e-mail address and deletes the id from the directory.
//!
//! The account is erased only if its indexes hold no competition that the user was not withdrawn
//! from. A call that is cut off before has withdrawn the user from some competitions, and a
//! repetition continues. One that is cut off after leaves the address and the id in the directory:
//! the next account takes over the address, and a list of users skips the id.

use deadpool_redis::redis::Cmd;
use domain::{Rejection, RequestId, TokenHash, User, UserId};

use crate::Store;
use crate::accounts::{EmailClaims, PasswordHash};
use crate::error::Result;
use crate::keys::{self, AccountId, People};
use crate::scripts::erase_user::{EraseUser, EraseUserReply};

impl Store {
    /// Erases the account of a user as it was read. `checked` is the hash that the caller's password
    /// was checked against. Fails with `Unauthenticated` if the password was changed since.
    pub(crate) async fn erase_user(
        &self,
        user: &User,
        checked: &PasswordHash,
        token: TokenHash,
        request: RequestId,
    ) -> Result<()> {
        let claims = EmailClaims::new(&self.redis, &self.installation);
        let claim = claims.key(People::Users, &user.email).await?;
        let account = AccountId::User(user.id.clone());
        loop {
            let entries = self.withdraw_from_all(&user.id, request).await?;
            let seen = entries.iter();
            let erase = EraseUser {
                account: &account,
                request,
                checked,
                token,
                seen: seen.map(|seen| (&seen.competition, &*seen.value)).collect(),
            };
            match self.redis.run(&erase).await? {
                EraseUserReply::Erased => break,
                EraseUserReply::More => {}
                EraseUserReply::Refused => return Err(Rejection::Unauthenticated.into()),
            }
        }
        claims.release(&claim, user.id.as_str()).await?;
        let shard = keys::directory(keys::shard_of(user.id.as_str()));
        self.redis
            .prepare(Cmd::zrem(shard, user.id.as_str()))
            .await?;
        self.withdraw_late(&user.id, request).await
    }

    /// Withdraws a user from what a call registered that found its session just before the account
    /// was erased.
    pub(crate) async fn withdraw_late(&self, user: &UserId, request: RequestId) -> Result<()> {
        for entry in self.withdraw_from_all(user, request).await? {
            self.forget_now(user, &entry).await?;
        }
        Ok(())
    }
}
