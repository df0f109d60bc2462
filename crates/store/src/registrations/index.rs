//! The competitions that a user may have entered: an index in the user's slot. It may hold too many
//! competitions, never too few. An entry is written before the competition decides. It is deleted
//! when the competition refuses, or else when it is read.

use std::collections::BTreeMap;

use deadpool_redis::redis::{Cmd, Value, cmd};
use domain::{CompetitionId, Timestamp, UserId};

use crate::error::{Error, Result};
use crate::keys::AccountKey;
use crate::records::index_entry::{self, INDEX_ENTRY_GRACE};
use crate::redis::{Commands, Effect, Redis, checked, decode};
use crate::scripts::forget_entry::ForgetEntry;

/// How many entries one command reads, some 0.1 ms of Redis's time. Redis sends an index of up to
/// 128 entries at once.
const ENTRIES_PER_READ: usize = 500;

/// How many entries one pipeline deletes, some 1 ms of Redis's time.
const ENTRIES_PER_DELETION: usize = 200;

/// An entry of a user's index.
pub(crate) struct IndexEntry {
    pub(crate) competition: CompetitionId,
    /// See [`index_entry`].
    pub(crate) value: String,
    index: AccountKey,
}

impl IndexEntry {
    /// An entry for a registration of the user's own.
    pub(crate) fn of_user(competition: &CompetitionId, now: Timestamp) -> Self {
        Self::new(AccountKey::Competitions, competition, now)
    }

    /// An entry for a registration that an admin adds.
    pub(crate) fn of_admin(competition: &CompetitionId, now: Timestamp) -> Self {
        Self::new(AccountKey::Added, competition, now)
    }

    fn new(index: AccountKey, competition: &CompetitionId, now: Timestamp) -> Self {
        Self {
            competition: competition.clone(),
            value: index_entry::new_value(now),
            index,
        }
    }

    /// Appends the two commands that write the entry, and look whether the account exists, in this
    /// order: an erasure that the look does not see finds the entry. The first one replies 1 if
    /// there was no entry.
    pub(crate) fn write(&self, user: &UserId, commands: &mut Commands) {
        let index = self.index.of_user(user);
        commands.push(Cmd::hset(index, self.competition.as_str(), &*self.value));
        commands.push(Cmd::exists(AccountKey::Profile.of_user(user)));
    }

    /// Whether no call that wrote it can still be on its way. `read_at` must be taken before the
    /// index was read: the age counts from then and not from now, because the process may have been
    /// suspended in between.
    fn is_old(&self, read_at: Timestamp) -> bool {
        let is_old = |written_at: Timestamp| written_at.after(INDEX_ENTRY_GRACE) <= read_at;
        index_entry::written_at(&self.value).is_ok_and(is_old)
    }
}

/// The first entries of an index behind some competition.
pub(crate) struct IndexPage {
    /// One entry for each competition, in the order of their ids.
    pub(crate) entries: Vec<IndexEntry>,
    pub(crate) is_last: bool,
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

    /// Lists a user's entries. A competition that the user and an admin have both entered comes
    /// twice.
    pub(crate) async fn list(&self, user: &UserId) -> Result<Vec<IndexEntry>> {
        let mut entries = Vec::new();
        self.scan(user, |entry| entries.push(entry)).await?;
        Ok(entries)
    }

    /// Reads the first `size` entries whose competitions have ids greater than `after`.
    pub(crate) async fn page(&self, user: &UserId, after: &str, size: usize) -> Result<IndexPage> {
        let mut first = BTreeMap::new();
        let keep = |entry: IndexEntry| {
            if entry.competition.as_str() > after {
                first.insert(entry.competition.clone(), entry);
            }
            if first.len() > size + 1 {
                first.pop_last();
            }
        };
        self.scan(user, keep).await?;
        let is_last = first.len() <= size;
        if !is_last {
            first.pop_last();
        }
        Ok(IndexPage {
            entries: first.into_values().collect(),
            is_last,
        })
    }

    /// Reads both indexes of a user, a part at a time, so that a large one delays nobody. An entry
    /// that is there all the time is read at least once.
    async fn scan(&self, user: &UserId, mut each: impl FnMut(IndexEntry)) -> Result<()> {
        let mut open = vec![(AccountKey::Competitions, 0), (AccountKey::Added, 0)];
        while !open.is_empty() {
            let reads = open.iter().map(|(index, cursor)| {
                let mut read = cmd("HSCAN");
                read.arg(index.of_user(user)).arg(*cursor);
                read.arg("COUNT").arg(ENTRIES_PER_READ);
                read
            });
            let replies = self.redis.read_all(&reads.collect()).await?;
            let mut unread = Vec::with_capacity(2);
            for ((index, _), reply) in open.into_iter().zip(replies) {
                let (next, pairs): (u64, Vec<(String, String)>) = decode(reply)?;
                for (id, value) in pairs {
                    let competition = CompetitionId::parse(id)
                        .map_err(|_| Error::unreadable("the id of an index entry"))?;
                    each(IndexEntry {
                        competition,
                        value,
                        index,
                    });
                }
                if next != 0 {
                    unread.push((index, next));
                }
            }
            open = unread;
        }
        Ok(())
    }

    /// Writes an entry.
    pub(crate) async fn write(&self, user: &UserId, entry: &IndexEntry) -> Result<WrittenEntry> {
        let mut commands = Commands::with_capacity(2);
        entry.write(user, &mut commands);
        let opened = self.redis.connections_opened();
        let connection = self.redis.pick_connection();
        let replies = self.redis.send(&commands, Effect::Prepare, connection);
        let replies = replies.await?.into_iter().map(checked);
        let replies = Value::Array(replies.collect::<Result<_>>()?);
        let (is_new, has_account): (bool, bool) = decode(replies)?;
        Ok(WrittenEntry {
            is_new: is_new && self.redis.connections_opened() == opened,
            has_account,
        })
    }

    /// Deletes those of the entries without a registration that no call on its way can have
    /// written, and returns the others. See [`IndexEntry::is_old`].
    pub(crate) async fn delete_leftovers(
        &self,
        user: &UserId,
        entries: Vec<IndexEntry>,
        read_at: Timestamp,
    ) -> Vec<IndexEntry> {
        let (old, young): (Vec<_>, _) =
            entries.into_iter().partition(|entry| entry.is_old(read_at));
        if let Err(error) = self.delete(user, &old).await {
            tracing::debug!(%error, %user, "leftovers stay in the index of a user");
        }
        young
    }

    /// Deletes the new entries of refused registrations, of one user each. An entry that stays after
    /// an error is deleted by a later list.
    pub(crate) async fn delete_refused(&self, refused: &[(&UserId, &IndexEntry)]) {
        if let Err(error) = self.delete_some(refused).await {
            tracing::debug!(%error, "leftovers stay in the indexes of users");
        }
    }

    /// Deletes entries of a user, except those that were written again since they were read.
    pub(crate) async fn delete(&self, user: &UserId, entries: &[IndexEntry]) -> Result<()> {
        for some in entries.chunks(ENTRIES_PER_DELETION) {
            let some: Vec<_> = some.iter().map(|entry| (user, entry)).collect();
            self.delete_some(&some).await?;
        }
        Ok(())
    }

    async fn delete_some(&self, entries: &[(&UserId, &IndexEntry)]) -> Result<()> {
        let mut deletions = Commands::with_capacity(entries.len());
        for (user, entry) in entries {
            deletions.call(&ForgetEntry {
                index: &entry.index.of_user(user),
                competition: &entry.competition,
                value: &entry.value,
            });
        }
        let connection = self.redis.pick_connection();
        let replies = self.redis.send(&deletions, Effect::Prepare, connection);
        replies
            .await?
            .into_iter()
            .try_for_each(|reply| checked(reply).map(drop))
    }
}

/// What the commands of [`IndexEntry::write`] replied.
pub(crate) struct WrittenEntry {
    /// Whether there was no entry, and no copy of the command can be on its way. Such an entry may
    /// be deleted at once if the competition refuses the registration.
    pub(crate) is_new: bool,
    pub(crate) has_account: bool,
}
