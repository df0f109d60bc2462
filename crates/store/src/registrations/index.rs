//! Where a user's registrations are: an index in the user's slot that may hold too much, never too
//! little. It is written before the competition decides, and cleaned when it is read.

use deadpool_redis::redis::Pipeline;
use domain::{CompetitionId, Timestamp, UserId};

use crate::error::Result;
use crate::legacy::unreadable;
use crate::records::index_entry::{INDEX_ENTRY_GRACE, written_at};
use crate::redis::Effect;
use crate::redis::decode;
use crate::{Store, keys, script};

/// An entry of a user's index.
pub(crate) struct IndexEntry {
    pub(crate) competition: CompetitionId,
    /// `<nonce>:<milliseconds>`
    pub(crate) value: String,
    is_added: bool,
}

impl Store {
    /// The competitions that a user may have entered, in the order of their ids. One that the user
    /// entered and an admin too stands there twice.
    pub(super) async fn index_of(&self, user: &UserId) -> Result<Vec<IndexEntry>> {
        let account = keys::Account::of_user(user);
        let mut pipeline = Pipeline::with_capacity(2);
        for key in [account.competitions(), account.added()] {
            pipeline.cmd("HGETALL").arg(key);
        }
        let mut entries = Vec::new();
        let answers = self.redis.pipeline(&pipeline, Effect::Prepare).await?;
        for (answer, is_added) in answers.into_iter().zip([false, true]) {
            let flat: Vec<(String, String)> = decode(answer)?;
            for (id, value) in flat {
                let competition = CompetitionId::parse(id).map_err(|_| unreadable("an index"))?;
                entries.push(IndexEntry {
                    competition,
                    value,
                    is_added,
                });
            }
        }
        entries.sort_by(|a, b| a.competition.cmp(&b.competition));
        Ok(entries)
    }

    /// Takes an entry from a user's index that has no registration, if it is old enough that none can
    /// follow any more. One that stays is looked at again next time.
    ///
    /// `read_at` is a moment before the index was read: its age then counts, since a server may stand
    /// still for any time between its look at the truth and this.
    pub(super) async fn forget(&self, user: &UserId, entry: &IndexEntry, read_at: Timestamp) {
        let is_old = |written_at: Timestamp| written_at.after(INDEX_ENTRY_GRACE) <= read_at;
        if !written_at(&entry.value).is_ok_and(is_old) {
            return;
        }
        if let Err(error) = self.forget_now(user, entry).await {
            tracing::debug!(%error, "an entry without a registration stays in an index");
        }
    }

    /// Takes an entry from a user's index, unless it was written again meanwhile.
    pub(crate) async fn forget_now(&self, user: &UserId, entry: &IndexEntry) -> Result<()> {
        let account = keys::Account::of_user(user);
        let key = if entry.is_added {
            account.added()
        } else {
            account.competitions()
        };
        let call = script::FORGET_ENTRY
            .on(&[key])
            .arg(entry.competition.as_str())
            .arg(&entry.value);
        self.redis.run_call(call, Effect::Prepare).await.map(drop)
    }
}
