//! One competition: its log is replayed through the rules, then what stands beside it must agree: the records,
//! the queue, the competition's own record, the counter, the seal, the catalogue.

use std::collections::HashMap;

use deadpool_redis::redis::{Pipeline, Value};
use domain::{Competition, CompetitionId, Revision};
use tokio::time::sleep;

use super::look::{LOOKS, MOMENT};
use super::replay::Replay;
use super::report::Problems;
use super::{Examination, STEP};
use crate::error::Result;
use crate::keys;
use crate::records::Fields;
use crate::records::seal::Seal;
use crate::records::{catalogue_member, competition as record};
use crate::redis::decode;

/// The record of a competition, by the names of its fields.
type Record = HashMap<String, String>;

impl Examination {
    pub(super) async fn examine_competition(&self, id: &CompetitionId) -> Result<Problems> {
        let mut problems = Problems::default();
        let subject = format!("competition {id}");
        // First the seal: what it covers is in the log by then.
        let mut replay = Replay::new(self.read_seal(id, &mut problems).await?);
        let end = self.examine_counter(id, &mut problems).await?;
        self.replay(id, end, &mut replay, &mut problems).await?;

        replay.look_on();
        let changed_at = replay.changed_at;
        let record = self.read_record(id).await?;
        let standing = self
            .compare_standing(id, &mut replay, &mut problems)
            .await?;
        let end = self.examine_counter(id, &mut problems).await?;
        self.replay(id, end, &mut replay, &mut problems).await?;

        standing.conclude(&subject, &replay, &mut problems);
        if let Some(seal) = replay.broken_seal() {
            let problem = format!(
                "the log is not what was sealed at revision {}: an entry up to there was changed or taken away",
                seal.revision
            );
            problems.find(&subject, problem);
        }
        // Of a wrong type: named by the walk. Changed meanwhile: left to the next examination.
        if let Some(record) = record.filter(|_| replay.changed_at == changed_at) {
            compare_record(&subject, &record, &replay, &mut problems);
            self.examine_record(id, record, &mut problems).await?;
        }
        self.counters.competition();
        Ok(problems)
    }

    async fn read_seal(&self, id: &CompetitionId, problems: &mut Problems) -> Result<Option<Seal>> {
        let mut get = Pipeline::with_capacity(1);
        get.cmd("GET").arg(keys::Competition::of(id).seal());
        let text: Option<Option<String>> = self.look(&get).await?.read();
        let seal =
            text.and_then(|text| text.map_or(Some(Seal::EMPTY), |text| Seal::parse(&text).ok()));
        if seal.is_none() {
            problems.find(format!("competition {id}"), "the seal cannot be read");
        }
        Ok(seal)
    }

    /// The counter must be the revision of the last log entry: both change in one step. Answers the latter,
    /// or the counter if it is ahead.
    async fn examine_counter(
        &self,
        id: &CompetitionId,
        problems: &mut Problems,
    ) -> Result<Revision> {
        let competition = keys::Competition::of(id);
        let mut pipeline = Pipeline::with_capacity(3);
        pipeline.cmd("GET").arg(competition.revision());
        pipeline
            .cmd("XREVRANGE")
            .arg(competition.log())
            .arg("+")
            .arg("-")
            .arg("COUNT")
            .arg(1);
        pipeline.cmd("GET").arg(competition.revision());
        let mut answers = self.look(&pipeline).await?;
        let before: Option<Option<u64>> = answers.read();
        let entry: Option<Vec<(String, Vec<Vec<u8>>)>> = answers.read();
        let after: Option<Option<u64>> = answers.read();
        let end = entry
            .and_then(|entry| revision_of(&entry.first()?.0))
            .unwrap_or(0);
        let subject = format!("competition {id}");
        let (Some(before), Some(after)) = (before, after) else {
            problems.find(subject, "the counter of revisions cannot be read");
            return Ok(Revision::new(end));
        };
        let (before, after) = (before.unwrap_or(0), after.unwrap_or(0));
        if after < end {
            problems.find(subject, ends_elsewhere(end, after));
        }
        Ok(Revision::new(end.max(before)))
    }

    /// Goes on with the replay to this revision.
    async fn replay(
        &self,
        id: &CompetitionId,
        to: Revision,
        replay: &mut Replay,
        problems: &mut Problems,
    ) -> Result<()> {
        let subject = format!("competition {id}");
        let log = keys::Competition::of(id).log();
        while replay.at() < to {
            let mut range = Pipeline::with_capacity(1);
            range
                .cmd("XRANGE")
                .arg(&log)
                .arg(replay.at().get().saturating_add(1))
                .arg(to.get())
                .arg("COUNT")
                .arg(STEP);
            let entries: Option<Vec<(String, Value)>> = self.look(&range).await?.read();
            let entries = entries.unwrap_or_default();
            self.counters.log_entries(entries.len());
            if entries.is_empty() {
                problems.find(&subject, ends_elsewhere(replay.at().get(), to.get()));
                replay.miss_to(to.get());
            }
            for (entry, fields) in entries {
                let Some(revision) = revision_of(&entry) else {
                    problems.find(&subject, "the id of a log entry cannot be read");
                    continue;
                };
                let fields = decode(fields).ok();
                let is_first = entry.ends_with("-0");
                for problem in replay.take(Revision::new(revision), fields.filter(|_| is_first)) {
                    problems.find(&subject, problem);
                }
            }
        }
        Ok(())
    }

    /// The record of the competition, empty if there is none; `None` = it cannot be read.
    async fn read_record(&self, id: &CompetitionId) -> Result<Option<Record>> {
        let mut get = Pipeline::with_capacity(1);
        get.cmd("HGETALL").arg(keys::Competition::of(id).meta());
        Ok(self.look(&get).await?.read())
    }

    /// The record must be one that can be read, and the catalogue must list it under its start.
    async fn examine_record(
        &self,
        id: &CompetitionId,
        record: Record,
        problems: &mut Problems,
    ) -> Result<()> {
        if record.is_empty() {
            return Ok(());
        }
        let subject = format!("competition {id}");
        match parse_record(id, record) {
            Err(error) => problems.find(subject, format!("the record cannot be read: {error}")),
            Ok(competition) if self.is_missing_in_catalogue(&competition).await? => {
                problems.find(subject, "the catalogue lacks it");
            }
            Ok(_) => {}
        }
        Ok(())
    }

    /// Whether the catalogue lacks a competition, for longer than the moment for which a call may leave it out
    /// that changes the start.
    async fn is_missing_in_catalogue(&self, competition: &Competition) -> Result<bool> {
        let id = &competition.id;
        let mut score = Pipeline::with_capacity(1);
        score
            .cmd("ZSCORE")
            .arg(keys::catalogue(keys::part_of(id.as_str())))
            .arg(catalogue_member::of(competition));
        for look in 0..LOOKS {
            if look > 0 {
                sleep(MOMENT).await;
            }
            let place: Option<Option<f64>> = self.look(&score).await?.read();
            if place != Some(None) {
                return Ok(false);
            }
            let now = self.read_record(id).await?.unwrap_or_default();
            let now = parse_record(id, now).ok();
            if now.is_none_or(|now| now.changed_at_revision != competition.changed_at_revision) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Reads the competition from its record, which has no counts.
fn parse_record(id: &CompetitionId, record: Record) -> Result<Competition> {
    let counts = ["revision", "confirmed_count", "waitlisted_count"];
    let counts = counts.map(|name| [name.to_owned(), "0".to_owned()]);
    let flat = record.into_iter().flat_map(<[String; 2]>::from);
    record::parse(
        id.clone(),
        Fields::from_pairs(flat.chain(counts.into_iter().flatten()).collect()),
    )
}

/// Each field of the record must be what the log says last.
fn compare_record(subject: &str, record: &Record, replay: &Replay, problems: &mut Problems) {
    // What is lost may have said something else.
    if !replay.is_whole() {
        return;
    }
    match (record.is_empty(), replay.fields.is_empty()) {
        (true, true) => return,
        (true, false) => return problems.find(subject, "the record is gone"),
        (false, true) => {
            return problems.find(subject, "there is a record, and by the log no competition");
        }
        (false, false) => {}
    }
    let changed_at = ("changed_at_revision", replay.changed_at.to_string());
    let fields = replay.fields.iter();
    let due = fields.map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, due) in due.chain([(changed_at.0, changed_at.1.as_str())]) {
        if record.get(name).map(String::as_str) != Some(due) {
            let problem = format!("the record has another {name} than the log");
            problems.find(subject, problem);
        }
    }
}

fn ends_elsewhere(log: u64, counter: u64) -> String {
    format!("the log ends at revision {log}, and the counter says {counter}")
}

/// The revision that the id of a log entry names.
fn revision_of(id: &str) -> Option<u64> {
    id.split_once('-')?.0.parse().ok()
}
