//! The log of a competition, as it is read.

use deadpool_redis::redis::cmd;
use domain::{AuditEntry, CompetitionId};

use crate::competitions::competition_not_found;
use crate::error::Result;
use crate::page::{Cursor, Listed, Page, PageRequest};
use crate::records::{Fields, log_entry};
use crate::redis::decode;
use crate::{Store, keys};

impl Store {
    /// Lists the log of a competition, the oldest entry first. Also of a draft that was deleted.
    pub async fn audit_entries(
        &self,
        competition: &CompetitionId,
        page: &PageRequest,
    ) -> Result<Page<AuditEntry>> {
        let mut range = cmd("XRANGE");
        range
            .arg(keys::Competition::of(competition).log())
            .arg(page.after_revision() + 1)
            .arg("+")
            .arg("COUNT")
            .arg(page.size);
        let entries: Vec<(String, Vec<String>)> = decode(self.redis.command(range).await?)?;
        if entries.is_empty() && page.after.is_none() {
            return Err(competition_not_found(competition).into());
        }
        let is_full = entries.len() == page.size;
        let items = entries
            .into_iter()
            .map(|(id, fields)| log_entry::parse(&id, Fields::from_pairs(fields)))
            .collect::<Result<Vec<_>>>()?;
        let last = items.last().filter(|_| is_full);
        let next = last.map(Listed::cursor);
        Ok(Page { items, next })
    }
}

impl Listed for AuditEntry {
    fn cursor(&self) -> Cursor {
        Cursor::of_revision(self.revision)
    }
}

impl PageRequest {
    /// The revision after which the page begins. A cursor is a client's word: no log has more entries
    /// than numbers that Lua tells apart.
    pub(crate) fn after_revision(&self) -> u64 {
        const MOST: u64 = 1 << 53;
        self.after_text().parse().unwrap_or(0).min(MOST)
    }
}
