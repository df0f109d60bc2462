//! The log of a competition.

use deadpool_redis::redis::{Cmd, Value, cmd};
use domain::{AuditEntry, Change, CompetitionId, Revision};

use crate::error::{Error, Result};
use crate::keys::{self, CompetitionKey};
use crate::page::{Cursor, Listed, Page, PageRequest};
use crate::records::log_entry::LogEntry;
use crate::records::removal_reason::ReasonRecord;
use crate::records::{Fields, log_entry};
use crate::redis::{Commands, Redis, decode};
use crate::scripts::refusal::competition_not_found;

/// The logs of all competitions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AuditLog {
    redis: Redis,
}

/// A log entry as it is stored: its revision, then its names and values in turn.
pub(crate) type RawLogEntry = (Revision, Vec<String>);

impl AuditLog {
    pub(crate) fn new(redis: &Redis) -> Self {
        Self {
            redis: redis.clone(),
        }
    }

    /// Lists the log of a competition, also of a deleted draft, the oldest entry first.
    pub(crate) async fn list(
        &self,
        competition: &CompetitionId,
        page: &PageRequest,
    ) -> Result<Page<AuditEntry>> {
        let after = page.after_revision();
        let entries = self.read(competition, after, page.size).await?;
        if entries.is_empty() && page.after.is_none() {
            return Err(competition_not_found(competition).into());
        }
        let is_full = entries.len() == page.size;
        let items = entries
            .into_iter()
            .map(|(id, fields)| log_entry::parse(&id, Fields::from_pairs(fields)))
            .collect::<Result<Vec<_>>>()?;
        let items = self.with_reasons(competition, items).await?;
        let last = items.last().filter(|_| is_full);
        let next = last.map(Listed::cursor);
        Ok(Page { items, next })
    }

    /// Completes the entries by the reasons of removals that are not erased. One round trip, if
    /// there is any removal.
    async fn with_reasons(
        &self,
        competition: &CompetitionId,
        entries: Vec<LogEntry>,
    ) -> Result<Vec<AuditEntry>> {
        let removals = entries.iter().filter(|found| found.reason_hash.is_some());
        let reads = removals.filter_map(|found| match &found.entry.change {
            Change::Registration { user_id, .. } => {
                let reasons = keys::removal_reasons(competition, user_id);
                Some(Cmd::hget(reasons, found.entry.revision.get()))
            }
            Change::Competition(_) => None,
        });
        let reads: Commands = reads.collect();
        let mut replies = if reads.is_empty() {
            Vec::new().into_iter()
        } else {
            self.redis.read_all(&reads).await?.into_iter()
        };
        let complete = |LogEntry {
                            mut entry,
                            reason_hash,
                        }| {
            let record = reason_hash.as_ref().and_then(|_| replies.next());
            let record: Option<String> = decode(record.unwrap_or(Value::Nil))?;
            let record = record.map(ReasonRecord::from_stored);
            if let Some(record) = record {
                if Some(record.hash()) != reason_hash {
                    return Err(Error::unreadable("a reason that differs from the log"));
                }
                entry.reason = record.reason()?;
            }
            Ok(entry)
        };
        entries.into_iter().map(complete).collect()
    }

    /// Reads the entries behind a revision as they are stored, at most `count`.
    pub(crate) async fn read_raw(
        &self,
        competition: &CompetitionId,
        after: Revision,
        count: usize,
    ) -> Result<Vec<RawLogEntry>> {
        let entries = self.read(competition, after, count).await?.into_iter();
        entries
            .map(|(id, fields)| Ok((log_entry::revision_of_entry_id(&id)?, fields)))
            .collect()
    }

    async fn read(
        &self,
        competition: &CompetitionId,
        after: Revision,
        count: usize,
    ) -> Result<Vec<(String, Vec<String>)>> {
        let log = CompetitionKey::Log.of(competition);
        let mut range = cmd("XRANGE");
        range.arg(log).arg(after.get() + 1).arg("+");
        range.arg("COUNT").arg(count);
        self.redis.read(range).await
    }
}

impl Listed for AuditEntry {
    fn cursor(&self) -> Cursor {
        Cursor::of_revision(self.revision)
    }
}
