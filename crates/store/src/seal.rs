//! Seals the logs of competitions: a SHA-256 chain over all entries up to a revision. Whoever
//! changes or deletes a sealed entry would have to change the seal too, and every copy of it.
//!
//! admin-service extends the seals from time to time, and not with each registration: Lua in Redis
//! has SHA-1 only.

use std::time::{Duration, Instant};

use deadpool_redis::redis::Cmd;
use domain::CompetitionId;
use tokio::time::sleep;

use crate::audit::AuditLog;
use crate::competitions::Catalogue;
use crate::error::{Error, Result};
use crate::keys::CompetitionKey;
use crate::page::PageRequest;
use crate::records::seal::Seal;
use crate::redis::{Redis, decode};
use crate::scripts::seal::{ReplaceSeal, SealReplacement};

/// How many log entries one round trip reads: about 0.2 ms of Redis's time, and as much of this
/// process.
const ENTRIES_PER_STEP: usize = 200;
/// How many competitions one round trip checks.
const COMPETITIONS_PER_PAGE: usize = 200;
/// After this much work, the sealing pauses for three times as long, so that it takes at most a
/// quarter of the time of Redis and of this process after many registrations.
const WORK_BETWEEN_PAUSES: Duration = Duration::from_millis(2);
const PAUSE_PER_WORK: u32 = 3;

/// Seals logs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Seals {
    redis: Redis,
    catalogue: Catalogue,
    log: AuditLog,
}

impl Seals {
    pub(crate) fn new(redis: &Redis, catalogue: &Catalogue, log: &AuditLog) -> Self {
        Self {
            redis: redis.clone(),
            catalogue: catalogue.clone(),
            log: log.clone(),
        }
    }

    /// Extends the seals of all logs. Returns the number of logs that were longer than their seal.
    pub(crate) async fn extend_all(&self) -> Result<usize> {
        let (mut extended, mut pauses) = (0, Pauses::default());
        let mut page = PageRequest {
            size: COMPETITIONS_PER_PAGE,
            after: None,
        };
        loop {
            let (ids, next) = self.catalogue.list_ids(&page).await?;
            for (id, seal) in self.find_outdated(&ids).await? {
                self.extend(id, seal, &mut pauses).await?;
                extended += 1;
            }
            if next.is_none() {
                return Ok(extended);
            }
            page.after = next;
        }
    }

    /// Extends the seal of one log.
    pub(crate) async fn extend_one(&self, id: &CompetitionId) -> Result<()> {
        for (id, seal) in self.find_outdated(std::slice::from_ref(id)).await? {
            self.extend(id, seal, &mut Pauses::default()).await?;
        }
        Ok(())
    }

    /// Finds the competitions whose log is longer than its seal, and returns the seals. One round
    /// trip.
    async fn find_outdated<'a>(
        &self,
        ids: &'a [CompetitionId],
    ) -> Result<Vec<(&'a CompetitionId, Seal)>> {
        let keys = [CompetitionKey::Seal, CompetitionKey::Revision];
        let reads = ids
            .iter()
            .flat_map(|id| keys.map(|key| Cmd::get(key.of(id))));
        let replies = self.redis.read_all(&reads.collect()).await?;
        let mut replies = replies.into_iter();
        let mut next = || {
            let reply = replies.next();
            reply.ok_or_else(|| Error::unreadable("a pipeline with too few replies"))
        };
        let mut outdated = Vec::new();
        for id in ids {
            let seal: Option<String> = decode(next()?)?;
            let revision: Option<u64> = decode(next()?)?;
            let seal = seal.map_or(Ok(Seal::EMPTY), |seal| Seal::parse(&seal))?;
            if revision.is_some_and(|revision| revision > seal.revision.get()) {
                outdated.push((id, seal));
            }
        }
        Ok(outdated)
    }

    async fn extend(&self, id: &CompetitionId, from: Seal, pauses: &mut Pauses) -> Result<()> {
        let mut unfinished = Some(from);
        while let Some(seal) = unfinished {
            let began_at = Instant::now();
            unfinished = self.extend_by_step(id, seal).await?;
            pauses.pause_after(began_at.elapsed()).await;
        }
        Ok(())
    }

    /// Extends a seal by one step. Returns the new seal if the log continues behind it. If another
    /// process has replaced the seal, that one continues.
    async fn extend_by_step(&self, id: &CompetitionId, seal: Seal) -> Result<Option<Seal>> {
        let entries = self
            .log
            .read_raw(id, seal.revision, ENTRIES_PER_STEP)
            .await?;
        if entries.is_empty() {
            return Ok(None);
        }
        let entries_read = entries.len();
        let later = entries.into_iter().fold(seal, |seal, (revision, fields)| {
            seal.with_entry(revision, &fields)
        });
        let replace = ReplaceSeal {
            competition: id,
            before: seal,
            after: later,
        };
        let replaced = self.redis.run(&replace).await?;
        let continues = entries_read == ENTRIES_PER_STEP && replaced == SealReplacement::Sealed;
        Ok(continues.then_some(later))
    }
}

/// Keeps the sealing from using more than a quarter of the time.
#[derive(Default)]
struct Pauses {
    /// Since the last pause.
    worked: Duration,
}

impl Pauses {
    async fn pause_after(&mut self, work: Duration) {
        self.worked += work;
        if self.worked >= WORK_BETWEEN_PAUSES {
            sleep(self.worked * PAUSE_PER_WORK).await;
            self.worked = Duration::ZERO;
        }
    }
}
