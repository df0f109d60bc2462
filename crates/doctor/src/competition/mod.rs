//! One competition: its log is replayed through the rules, and everything else that is stored of it
//! must agree with the log: the registrations, the waitlist, the record, the revision counter, the
//! seal and the catalogue.

mod registrations;
mod replay;

use std::collections::HashMap;

use domain::{Competition, CompetitionId, Revision};
use store::Seal;
use store::inspect::{Cmd, Commands, Stored, cmd};
use store::keys::{CompetitionKey, catalogue, shard_of};
use store::records::log_entry::revision_of_entry_id;
use store::records::{self, Fields, catalogue_member};
use tokio::time::sleep;

use self::replay::Replay;
use crate::reading::{RECHECK_INTERVAL, RECHECKS, last_entry};
use crate::{BATCH_SIZE, Examination, Finding, Result};

/// The fields of a competition's record.
type RecordFields = HashMap<String, String>;

/// An entry of the log as Redis replies it: its id, and names and values in turn.
type RawEntry = (String, Vec<Vec<u8>>);

/// The examination of one competition.
struct CompetitionCheck<'a> {
    examination: &'a Examination,
    id: &'a CompetitionId,
    replay: Replay,
    findings: Vec<Finding>,
}

pub(crate) async fn check(examination: &Examination, id: &CompetitionId) -> Result<Vec<Finding>> {
    let mut check = CompetitionCheck {
        examination,
        id,
        replay: Replay::default(),
        findings: Vec::new(),
    };
    check.run().await?;
    examination.count(|progress| progress.competitions += 1);
    Ok(check.findings)
}

impl CompetitionCheck<'_> {
    async fn run(&mut self) -> Result<()> {
        // The seal is read first, so that the log already has the entries that it covers.
        self.read_seal().await?;
        let end = self.check_counter().await?;
        self.replay_log(end).await?;

        // Users who change from here on may be read in their old or in their new state.
        self.replay.track_changes();
        let changed_at = self.replay.changed_at;
        let record = self.read_record().await?;
        let comparison = self.compare_registrations().await?;
        let end = self.check_counter().await?;
        self.replay_log(end).await?;

        for problem in comparison.problems(self.id, &self.replay) {
            self.report(problem);
        }
        if let Some(seal) = self.replay.broken_seal() {
            self.report(format!(
                "the log does not match its seal of revision {}: an entry up to there was changed or deleted",
                seal.revision
            ));
        }
        // A record of a wrong type is reported by the check of the keyspace. A record that changed
        // meanwhile is left to the next examination.
        if let Some(record) = record.filter(|_| self.replay.changed_at == changed_at) {
            self.compare_record(&record);
            self.check_record(record).await?;
        }
        Ok(())
    }

    fn report(&mut self, problem: impl std::fmt::Display) {
        let subject = format!("competition {}", self.id);
        self.findings.push(Finding::broken(subject, problem));
    }

    fn key(&self, key: CompetitionKey) -> String {
        key.of(self.id)
    }

    async fn read_seal(&mut self) -> Result<()> {
        let seal = self.key(CompetitionKey::Seal);
        let text: Stored<String> = self.examination.read_one(Cmd::get(&seal)).await?;
        match text.parse(|text| Seal::parse(&text)) {
            Stored::Absent => {}
            Stored::Present(seal) => self.replay.expect_seal(seal),
            Stored::Unreadable => self.report(format!("invalid seal in {seal}")),
        }
        Ok(())
    }

    /// Compares the revision counter with the revision of the last log entry: both change in one
    /// step. Returns the larger one, up to which the log must be replayed.
    async fn check_counter(&mut self) -> Result<Revision> {
        let counter = self.key(CompetitionKey::Revision);
        let mut commands = Commands::with_capacity(3);
        commands.push(Cmd::get(&counter));
        commands.push(last_entry(&self.key(CompetitionKey::Log)));
        commands.push(Cmd::get(&counter));
        let mut replies = self.examination.read(&commands).await?;
        let before: Stored<u64> = replies.take();
        let last: Option<Vec<RawEntry>> = replies.take().present();
        let after: Stored<u64> = replies.take();
        let end = last
            .and_then(|entries| revision_of_entry_id(&entries.first()?.0).ok())
            .map_or(0, Revision::get);
        if before == Stored::Unreadable || after == Stored::Unreadable {
            self.report(format!("invalid revision counter in {counter}"));
            return Ok(Revision::new(end));
        }
        let (before, after) = (before.present().unwrap_or(0), after.present().unwrap_or(0));
        if after < end {
            self.report(different_end(end, after));
        }
        Ok(Revision::new(end.max(before)))
    }

    /// Continues the replay up to this revision.
    async fn replay_log(&mut self, end: Revision) -> Result<()> {
        let log = self.key(CompetitionKey::Log);
        while self.replay.revision() < end {
            let mut range = cmd("XRANGE");
            range
                .arg(&log)
                .arg(self.replay.revision().get().saturating_add(1))
                .arg(end.get())
                .arg("COUNT")
                .arg(BATCH_SIZE);
            let entries: Option<Vec<RawEntry>> = self.examination.read_one(range).await?.present();
            let entries = entries.unwrap_or_default();
            self.examination
                .count(|progress| progress.log_entries += entries.len());
            if entries.is_empty() {
                self.report(different_end(self.replay.revision().get(), end.get()));
                self.replay.skip_to(end.get());
            }
            for (entry, fields) in entries {
                let Ok(revision) = revision_of_entry_id(&entry) else {
                    self.report(format!("invalid id {entry} of a log entry"));
                    continue;
                };
                let fields = fields.into_iter().map(String::from_utf8);
                let fields = fields.collect::<Result<Vec<_>, _>>().ok();
                let fields = fields.filter(|_| entry.ends_with("-0"));
                for problem in self.replay.apply(revision, fields) {
                    self.report(problem);
                }
            }
        }
        Ok(())
    }

    /// Reads the record, which is empty if there is none. `None` if it cannot be read.
    async fn read_record(&self) -> Result<Option<RecordFields>> {
        let record = Cmd::hgetall(self.key(CompetitionKey::Meta));
        Ok(match self.examination.read_one(record).await? {
            Stored::Present(fields) => Some(fields),
            Stored::Absent => Some(RecordFields::new()),
            Stored::Unreadable => None,
        })
    }

    /// Compares each field of the record with its last value in the log.
    fn compare_record(&mut self, record: &RecordFields) {
        // A missing entry may have changed any field.
        if !self.replay.is_complete() {
            return;
        }
        let key = self.key(CompetitionKey::Meta);
        match (record.is_empty(), self.replay.fields.is_empty()) {
            (true, true) => return,
            (true, false) => return self.report(format!("the record {key} is missing")),
            (false, true) => {
                return self.report(format!("{key} exists, but not by the log"));
            }
            (false, false) => {}
        }
        let changed_at = self.replay.changed_at.to_string();
        let expected = self.replay.fields.iter();
        let expected = expected
            .map(|(name, value)| (name.as_str(), value))
            .chain([("changed_at_revision", &changed_at)]);
        let different: Vec<_> = expected
            .filter(|(name, value)| record.get(*name) != Some(value))
            .map(|(name, _)| format!("{name} in {key} differs from the log"))
            .collect();
        for problem in different {
            self.report(problem);
        }
    }

    /// Checks that the record can be parsed, and that the catalogue lists it under its start.
    async fn check_record(&mut self, record: RecordFields) -> Result<()> {
        if record.is_empty() {
            return Ok(());
        }
        match parse_record(self.id, record) {
            Err(error) => self.report(format!(
                "invalid record in {}: {error}",
                self.key(CompetitionKey::Meta)
            )),
            Ok(competition) => {
                let catalogue = catalogue(shard_of(self.id.as_str()));
                if self.is_unlisted(&catalogue, &competition).await? {
                    self.report(format!("the competition is missing in {catalogue}"));
                }
            }
        }
        Ok(())
    }

    /// Whether the catalogue lacks a competition for longer than the moment for which a call that
    /// changes the start may remove it.
    async fn is_unlisted(&self, catalogue: &str, competition: &Competition) -> Result<bool> {
        let member = catalogue_member::of(competition);
        for check in 0..RECHECKS {
            if check > 0 {
                sleep(RECHECK_INTERVAL).await;
            }
            let score = Cmd::zscore(catalogue, &member);
            if !self.examination.read_one::<f64>(score).await?.is_absent() {
                return Ok(false);
            }
            let now = self.read_record().await?.unwrap_or_default();
            let now = parse_record(self.id, now).ok();
            if now.is_none_or(|now| now.changed_at_revision != competition.changed_at_revision) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Parses the record, which contains no counts.
fn parse_record(id: &CompetitionId, record: RecordFields) -> Result<Competition> {
    let flat = record.into_iter().flat_map(<[String; 2]>::from);
    let mut fields = Fields::from_pairs(flat.collect());
    for name in ["revision", "confirmed_count", "waitlisted_count"] {
        fields.insert(name, "0".to_owned());
    }
    records::competition::parse(id.clone(), fields)
}

fn different_end(log: u64, counter: u64) -> String {
    format!("the log ends at revision {log}, but the revision counter is {counter}")
}
