//! Writes for the doctor, with a Redis user that may write what user-service writes.
//!
//! Each repair changes one thing, only if it still is what the doctor found, and may be repeated at
//! any time while the services run.

use std::sync::Arc;

use deadpool_redis::redis::Cmd;
use domain::{CompetitionId, RequestId, UserId};

use crate::competitions::CompetitionCache;
use crate::error::Result;
use crate::keys::{self, AccountKey};
use crate::records::index_entry;
use crate::redis::Redis;
use crate::registrations::Registrations;
use crate::scripts::forget_entry::{ForgetEntry, ForgetEntryReply};
use crate::scripts::release_email::{ReleaseEmail, ReleaseEmailReply};

/// The repairs that the doctor can make.
pub struct Repairs {
    redis: Redis,
    registrations: Registrations,
}

impl Repairs {
    /// Repairs on these connections. Opens none.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self {
            redis: redis.clone(),
            registrations: Registrations::new(redis, &Arc::<CompetitionCache>::default()),
        }
    }

    /// Deletes an entry of a user's index, the hash `index`, if it still has this value. An entry
    /// that a call writes again has another value. Returns whether it was deleted.
    pub async fn delete_index_entry(
        &self,
        index: &str,
        competition: &CompetitionId,
        value: &str,
    ) -> Result<bool> {
        let delete = ForgetEntry {
            index,
            competition,
            value,
        };
        Ok(self.redis.run(&delete).await? == ForgetEntryReply::Forgotten)
    }

    /// Adds a competition to a user's index. Returns whether it was added: not if the index has it,
    /// or if the account was erased meanwhile.
    pub async fn add_to_index(&self, user: &UserId, competition: &CompetitionId) -> Result<bool> {
        let index = AccountKey::Competitions.of_user(user);
        // The value is new, so that no call deletes the entry while the registration may change.
        let value = index_entry::new_value(self.redis.current_time().await?);
        let add = Cmd::hset_nx(&index, competition.as_str(), &value);
        let is_added: bool = self.redis.read(add).await?;
        let profile = Cmd::exists(AccountKey::Profile.of_user(user));
        if is_added && !self.redis.read::<bool>(profile).await? {
            // No service would ever delete the index of an erased account.
            self.delete_index_entry(&index, competition, &value).await?;
            return Ok(false);
        }
        Ok(is_added)
    }

    /// Adds a user to the directory. Returns whether the user was added. A user who is erased
    /// meanwhile does no harm, because readers skip members without an account.
    pub async fn add_to_directory(&self, user: &UserId) -> Result<bool> {
        let directory = keys::directory(keys::shard_of(user.as_str()));
        self.redis
            .read(Cmd::zadd(directory, user.as_str(), 0))
            .await
    }

    /// Deletes the claim of an e-mail address if it still has this value. A call that uses the claim
    /// has written its own nonce or account id. Returns whether it was deleted.
    pub async fn release_claim(&self, claim: &str, value: &str) -> Result<bool> {
        let release = ReleaseEmail { claim, value };
        let reply = self.redis.run(&release).await?;
        Ok(reply == ReleaseEmailReply::Released)
    }

    /// Withdraws a user whose account was erased. Ids are never used again, so that no other account
    /// is affected.
    pub async fn withdraw_erased_user(
        &self,
        user: &UserId,
        competition: &CompetitionId,
    ) -> Result<()> {
        self.registrations
            .withdraw_erased(user, competition, RequestId::random())
            .await
    }
}
