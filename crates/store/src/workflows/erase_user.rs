//! Erases the account of a user: withdraws the user from every competition that is not over and
//! erases the reasons of the user's removals, erases the account, then releases the e-mail address
//! and deletes the id from the directory.
//!
//! The account is erased only if its indexes hold no competition that the user was not withdrawn
//! from. A call that is cut off before has withdrawn the user from some competitions, and a
//! repetition continues. The indexes are deleted last, after a second look at each competition: a
//! registration or a removal that did not see the erasure is found there. A call that is cut off
//! before that is finished by a repetition, too. It leaves the address: the next account takes it
//! over.

use deadpool_redis::redis::Cmd;
use domain::{Rejection, RequestId, TokenHash, User, UserId};

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
        self.finish(&user.id, request).await
    }

    /// Deletes what the erasure of an account leaves: the id in the directory, the indexes, and what
    /// calls have written that began before it. Can be repeated.
    pub(crate) async fn finish(&self, user: &UserId, request: RequestId) -> Result<()> {
        let shard = keys::directory(keys::shard_of(user.as_str()));
        self.redis.prepare(Cmd::zrem(shard, user.as_str())).await?;
        self.withdraw_all.and_forget(user, request).await
    }
}
