//! The seal of a competition's log: a SHA-256 chain over all entries up to a revision. Who changes or
//! drops an entry behind it would have to change the seal too, and every copy of it.
//!
//! admin-service goes on with the chains from time to time, never on the way of a registration: Lua in
//! Redis has SHA-1 only.

use std::time::{Duration, Instant};

use deadpool_redis::redis::{Pipeline, cmd};
use domain::{CompetitionId, Revision};
use tokio::time::sleep;

use crate::error::Result;
use crate::legacy::unreadable;
use crate::page::PageRequest;
use crate::records::log_entry;
use crate::records::seal::Seal;
use crate::redis::Effect;
use crate::redis::{ReplyReader, decode};
use crate::{Store, keys, script};

/// How many log entries one round trip reads: some 0.2 ms of Redis's time, and as much of the reader's.
const ENTRIES_A_STEP: usize = 200;

/// After so much work on seals comes a rest of so many times its length: what a rush has left behind is
/// sealed beside the calls, not instead of them.
const SHIFT: Duration = Duration::from_millis(2);
const REST: u32 = 3;

/// An entry of a log as it stands: its revision, and names and values in turn.
pub(crate) type RawEntry = (Revision, Vec<String>);

impl Store {
    /// Goes on with the seals of all competitions, at a quarter of its speed. Answers how many were behind
    /// their log.
    pub async fn seal_all(&self) -> Result<usize> {
        let mut behind = 0;
        let mut worked = Duration::ZERO;
        let mut page = PageRequest {
            size: 200,
            after: None,
        };
        loop {
            let (ids, next) = self.catalogue_page(&page).await?;
            for (id, seal) in self.behind(&ids).await? {
                let mut unfinished = Some(seal);
                while let Some(seal) = unfinished {
                    let began_at = Instant::now();
                    unfinished = self.seal_further(id, seal).await?;
                    worked += began_at.elapsed();
                    if worked >= SHIFT {
                        sleep(worked * REST).await;
                        worked = Duration::ZERO;
                    }
                }
                behind += 1;
            }
            match next {
                Some(cursor) => page.after = Some(cursor),
                None => return Ok(behind),
            }
        }
    }

    /// Which of these competitions have a log that is longer than their seal. One round trip.
    async fn behind<'a>(&self, ids: &'a [CompetitionId]) -> Result<Vec<(&'a CompetitionId, Seal)>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = Pipeline::with_capacity(2 * ids.len());
        for id in ids {
            let keys = keys::Competition::of(id);
            pipeline.cmd("GET").arg(keys.seal());
            pipeline.cmd("GET").arg(keys.revision());
        }
        let answers = self.redis.pipeline(&pipeline, Effect::Prepare).await?;
        let mut answers = answers.into_iter();
        let mut behind = Vec::new();
        for id in ids {
            let (Some(seal), Some(revision)) = (answers.next(), answers.next()) else {
                return Err(unreadable("a short answer"));
            };
            let seal: Option<String> = decode(seal)?;
            let seal = parse_seal(seal.as_deref())?;
            let revision: Option<u64> = decode(revision)?;
            if revision.is_some_and(|revision| revision > seal.revision.get()) {
                behind.push((id, seal));
            }
        }
        Ok(behind)
    }

    /// The seal of a competition's log; [`Seal::EMPTY`] if there is none yet.
    pub async fn seal(&self, competition: &CompetitionId) -> Result<Seal> {
        let mut get = cmd("GET");
        get.arg(keys::Competition::of(competition).seal());
        let text: Option<String> = decode(self.redis.command(get).await?)?;
        parse_seal(text.as_deref())
    }

    /// Whether the log still has the seal that was made of it.
    pub async fn seal_holds(&self, competition: &CompetitionId) -> Result<bool> {
        let made = self.seal(competition).await?;
        let mut found = Seal::EMPTY;
        while found.revision < made.revision {
            let entries = self.log_after(competition, found.revision).await?;
            if entries.is_empty() {
                break;
            }
            for (revision, fields) in entries {
                if revision <= made.revision {
                    found = found.with_entry(revision, &fields);
                }
            }
        }
        Ok(found == made)
    }

    /// Goes on with one seal by a step. Answers it if the log goes on. If somebody else went on with it
    /// meanwhile, theirs stands.
    pub async fn seal_further(
        &self,
        competition: &CompetitionId,
        seal: Seal,
    ) -> Result<Option<Seal>> {
        let entries = self.log_after(competition, seal.revision).await?;
        if entries.is_empty() {
            return Ok(None);
        }
        let further = entries.iter().fold(seal, |seal, (revision, fields)| {
            seal.with_entry(*revision, fields)
        });
        let call = script::SEAL
            .on(&[keys::Competition::of(competition).seal()])
            .arg(if seal == Seal::EMPTY {
                String::new()
            } else {
                seal.to_string()
            })
            .arg(further.to_string());
        let reply = ReplyReader::new(self.redis.run_call(call, Effect::Prepare).await?)?;
        let goes_on = entries.len() == ENTRIES_A_STEP && reply.word() != "overtaken";
        Ok(goes_on.then_some(further))
    }

    /// Reads the next entries of a log as they stand, at most [`ENTRIES_A_STEP`].
    pub(crate) async fn log_after(
        &self,
        competition: &CompetitionId,
        after: Revision,
    ) -> Result<Vec<RawEntry>> {
        let mut range = cmd("XRANGE");
        range
            .arg(keys::Competition::of(competition).log())
            .arg(after.get() + 1)
            .arg("+")
            .arg("COUNT")
            .arg(ENTRIES_A_STEP);
        let entries: Vec<(String, Vec<String>)> = decode(self.redis.command(range).await?)?;
        entries
            .into_iter()
            .map(|(id, fields)| Ok((log_entry::revision_of_entry_id(&id)?, fields)))
            .collect()
    }
}

/// Parses a stored seal; an absent one is that of an empty log.
fn parse_seal(text: Option<&str>) -> Result<Seal> {
    text.map_or(Ok(Seal::EMPTY), Seal::parse)
}
