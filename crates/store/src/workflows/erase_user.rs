//! Erases the account of a user: withdraws the user from every competition that is not over, erases
//! the account, then releases the e-mail address and deletes the id from the directory.
//!
//! The account is erased only if its indexes hold no competition that the user was not withdrawn
//! from. A call that is cut off before has withdrawn the user from some competitions, and a
//! repetition continues. One that is cut off after leaves the address and the id in the directory:
//! the next account takes over the address, and a list of users skips the id.

use deadpool_redis::redis::Cmd;
use domain::{Rejection, RequestId, TokenHash, User};

use super::withdraw_all::WithdrawAll;
use crate::accounts::{EmailClaims, PasswordHash};
use crate::error::Result;
use crate::keys::{self, AccountId, People};
use crate::redis::Redis;
use crate::scripts::erase_user::{EraseUser, EraseUserReply};

/// Erases the accounts of users. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AccountErasure {
    pub(crate) redis: Redis,
    pub(crate) claims: EmailClaims,
    pub(crate) withdraw_all: WithdrawAll,
}

impl AccountErasure {
    /// Erases the account of a user as it was read. `checked` is the hash that the caller's
    /// password was checked against. Fails with `Unauthenticated` if the password was changed
    /// since.
    pub(crate) async fn run(
        &self,
        user: &User,
        checked: &PasswordHash,
        token: TokenHash,
        request: RequestId,
    ) -> Result<()> {
        let claims = self.claims.keys(People::Users, &user.email).await?;
        let account = AccountId::User(user.id.clone());
        loop {
            let entries = self.withdraw_all.run(&user.id, request).await?;
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
                // The user has entered another competition since the index was read.
                EraseUserReply::More => {}
                EraseUserReply::Refused => return Err(Rejection::Unauthenticated.into()),
            }
        }
        for claim in &claims {
            self.claims.release(claim, user.id.as_str()).await?;
        }
        let shard = keys::directory(keys::shard_of(user.id.as_str()));
        self.redis
            .prepare(Cmd::zrem(shard, user.id.as_str()))
            .await?;
        // A call that found its session just before the erasure may have registered since.
        self.withdraw_all.and_forget(&user.id, request).await
    }
}
