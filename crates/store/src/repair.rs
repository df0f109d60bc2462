//! Writes for the doctor, with a Redis user that may write what user-service writes.
//!
//! Each repair changes one thing, only if it still is what the doctor found, and may be repeated at
//! any time while the services run.

use std::fmt;
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

/// A change that cannot do harm, however often it is made and whatever the services do meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    /// Deletes an index entry that has no registration and is too old to get one, unless the entry
    /// was written again.
    DeleteIndexEntry {
        /// The key of the index.
        index: String,
        competition: CompetitionId,
        /// The value of the entry.
        value: String,
    },
    /// Adds a registration to the index of its user.
    AddToIndex {
        user: UserId,
        competition: CompetitionId,
    },
    /// Adds a user to the directory.
    AddToDirectory { user: UserId },
    /// Deletes the claim of an e-mail address by an account that does not exist or was never
    /// completed, unless the claim has changed.
    ReleaseClaim {
        /// The key of the claim.
        key: String,
        /// The value of the claim.
        value: String,
    },
    /// Withdraws a user whose account was erased, as the erasure would have done.
    Withdraw {
        user: UserId,
        competition: CompetitionId,
    },
    /// Erases the reasons of the removals of a user whose account was erased.
    EraseReasons {
        user: UserId,
        competition: CompetitionId,
    },
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeleteIndexEntry { competition, .. } => {
                write!(f, "deleted the index entry for {competition}")
            }
            Self::AddToIndex { competition, .. } => write!(f, "added {competition} to the index"),
            Self::AddToDirectory { .. } => f.write_str("added the user to the directory"),
            Self::ReleaseClaim { .. } => f.write_str("released the e-mail address"),
            Self::Withdraw { competition, .. } => {
                write!(f, "withdrew the user from {competition}")
            }
            Self::EraseReasons { competition, .. } => {
                write!(f, "erased the reasons of the removals from {competition}")
            }
        }
    }
}

/// Makes repairs. Cheap to clone.
#[derive(Clone)]
pub struct Repairer {
    redis: Redis,
    registrations: Registrations,
}

impl Repairer {
    /// Repairs on these connections. Opens none.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self {
            redis: redis.clone(),
            registrations: Registrations::new(redis, &Arc::<CompetitionCache>::default()),
        }
    }

    /// Makes a repair. Returns whether something was changed: a service may have repaired it
    /// already.
    pub async fn make(&self, repair: &Repair) -> Result<bool> {
        match repair {
            // An entry that a call writes again has another value.
            Repair::DeleteIndexEntry {
                index,
                competition,
                value,
            } => self.delete_index_entry(index, competition, value).await,
            Repair::AddToIndex { user, competition } => self.add_to_index(user, competition).await,
            Repair::AddToDirectory { user } => {
                // A user who is erased meanwhile does no harm: readers skip members without an
                // account.
                let directory = keys::directory(keys::shard_of(user.as_str()));
                self.redis
                    .read(Cmd::zadd(directory, user.as_str(), 0))
                    .await
            }
            // A call that uses the claim has written its own nonce or account id into it.
            Repair::ReleaseClaim { key, value } => {
                let release = ReleaseEmail { claim: key, value };
                let reply = self.redis.run(&release).await?;
                Ok(reply == ReleaseEmailReply::Released)
            }
            // Ids are never used again, so that no other account is withdrawn.
            Repair::Withdraw { user, competition } => {
                let request = RequestId::random();
                let registrations = &self.registrations;
                registrations.erase(user, competition, request).await?;
                Ok(true)
            }
            Repair::EraseReasons { user, competition } => {
                let reasons = keys::removal_reasons(competition, user);
                self.redis.read(Cmd::del(reasons)).await
            }
        }
    }

    async fn add_to_index(&self, user: &UserId, competition: &CompetitionId) -> Result<bool> {
        let index = AccountKey::Competitions.of_user(user);
        // The value is new, so that no call deletes the entry while the registration may change.
        let value = index_entry::new_value(self.redis.current_time().await?);
        let add = Cmd::hset_nx(&index, competition.as_str(), &value);
        let is_added: bool = self.redis.read(add).await?;
        let profile = AccountKey::Profile.of_user(user);
        if is_added && !self.redis.read::<bool>(Cmd::exists(profile)).await? {
            // The account was erased meanwhile. No service would ever delete its index.
            self.delete_index_entry(&index, competition, &value).await?;
            return Ok(false);
        }
        Ok(is_added)
    }

    async fn delete_index_entry(
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
}
