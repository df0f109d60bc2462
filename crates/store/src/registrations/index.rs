//! The competitions that a user may have entered: an index in the user's slot. It may hold too many
//! competitions, never too few. An entry is written before the competition decides, and an entry
//! without a registration is deleted when it is read.

use deadpool_redis::redis::Cmd;
use domain::{CompetitionId, Timestamp, UserId};

use crate::error::{Error, Result};
use crate::keys::AccountKey;
use crate::records::index_entry::{self, INDEX_ENTRY_GRACE};
use crate::redis::{Redis, decode};
use crate::scripts::forget_entry::ForgetEntry;

/// An entry of a user's index.
pub(crate) struct IndexEntry {
    pub(crate) competition: CompetitionId,
    /// See [`index_entry`].
    pub(crate) value: String,
    index: AccountKey,
}

/// The indexes of all users. Cheap to clone.
#[derive(Clone)]
pub(crate) struct UserIndex {
    redis: Redis,
}

impl UserIndex {
    pub(crate) fn new(redis: &Redis) -> Self {
        Self {
            redis: redis.clone(),
        }
    }

    /// Lists a user's entries in the order of the competitions' ids. A competition that the user
    /// and an admin have both entered comes twice.
    pub(crate) async fn list(&self, user: &UserId) -> Result<Vec<IndexEntry>> {
        let indexes = [AccountKey::Competitions, AccountKey::Added];
        let reads = indexes.iter().map(|key| Cmd::hgetall(key.of_user(user)));
        let replies = self.redis.read_all(&reads.collect()).await?;
        let mut entries = Vec::new();
        for (index, reply) in indexes.into_iter().zip(replies) {
            let pairs: Vec<(String, String)> = decode(reply)?;
            for (id, value) in pairs {
                let competition = CompetitionId::parse(id)
                    .map_err(|_| Error::unreadable("the id of an index entry"))?;
                entries.push(IndexEntry {
                    competition,
                    value,
                    index,
                });
            }
        }
        entries.sort_by(|a, b| a.competition.cmp(&b.competition));
        Ok(entries)
    }

    /// The command that adds an entry for a registration of the user's own.
    pub(crate) fn add_command(user: &UserId, competition: &CompetitionId, now: Timestamp) -> Cmd {
        add(AccountKey::Competitions, user, competition, now)
    }

    /// Adds an entry for a registration that an admin adds.
    pub(crate) async fn add_by_admin(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        now: Timestamp,
    ) -> Result<()> {
        let add = add(AccountKey::Added, user, competition, now);
        self.redis.prepare(add).await
    }

    /// Deletes an entry that has no registration, if no call that wrote it can still be on its way.
    /// An entry that stays is found again by the next list.
    ///
    /// `read_at` must be taken before the index was read. The age counts from then and not from
    /// now, because the process may have been suspended in between.
    pub(crate) async fn delete_leftover(
        &self,
        user: &UserId,
        entry: &IndexEntry,
        read_at: Timestamp,
    ) {
        let is_old = |written_at: Timestamp| written_at.after(INDEX_ENTRY_GRACE) <= read_at;
        if !index_entry::written_at(&entry.value).is_ok_and(is_old) {
            return;
        }
        if let Err(error) = self.delete(user, entry).await {
            tracing::debug!(%error, %user, "a leftover stays in the index of a user");
        }
    }

    /// Deletes an entry, unless it was written again since it was read.
    pub(crate) async fn delete(&self, user: &UserId, entry: &IndexEntry) -> Result<()> {
        let delete = ForgetEntry {
            index: &entry.index.of_user(user),
            competition: &entry.competition,
            value: &entry.value,
        };
        self.redis.run(&delete).await.map(drop)
    }
}

fn add(index: AccountKey, user: &UserId, competition: &CompetitionId, now: Timestamp) -> Cmd {
    let value = index_entry::new_value(now);
    Cmd::hset(index.of_user(user), competition.as_str(), value)
}
