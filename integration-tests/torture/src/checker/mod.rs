//! Decides whether the answers that clients got and the logs are one story that the rules allow.
//!
//! - `requests`: each acknowledged request is in the log once, at the revision that it was told, with
//!   that answer; what was not applied is not there; nothing is there that nobody asked for.
//! - `order`: who began after another had ended was decided after it.
//! - `replay`: the log goes through the model of the rules, and every answer, read and refusal is true at
//!   the revision that it names, in every field: `standing` says what is to be told of those who are in,
//!   `refusal` which rule has to say no.
//!
//! The entry ids of a log are the revisions, so each step is a sort and a sweep: O(n log n).

mod order;
mod refusal;
mod replay;
mod requests;
mod standing;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use domain::{AuditEntry, CompetitionId, RequestId, Revision, Timestamp};

use crate::history::{History, Operation};

/// The whole log of each competition, in order.
pub type Logs = BTreeMap<CompetitionId, Vec<AuditEntry>>;

/// Something that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub competition: CompetitionId,
    /// What.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "competition {}: {}", self.competition, self.what)
    }
}

/// All that cannot be; empty = the promises were kept.
#[must_use]
pub fn check(history: &History, logs: &Logs) -> Vec<Problem> {
    let mut by_competition = BTreeMap::<&CompetitionId, Vec<&Operation>>::new();
    for operation in &history.operations {
        by_competition
            .entry(&operation.competition)
            .or_default()
            .push(operation);
    }
    for competition in logs.keys() {
        by_competition.entry(competition).or_default();
    }
    let mut problems = Vec::new();
    for (competition, operations) in by_competition {
        let log = logs.get(competition).map_or(&[][..], Vec::as_slice);
        let found = Story::new(competition, log, operations).check();
        problems.extend(found.into_iter().map(|what| Problem {
            competition: competition.clone(),
            what,
        }));
    }
    problems
}

/// What is known of one competition.
struct Story<'a> {
    competition: &'a CompetitionId,
    log: &'a [AuditEntry],
    operations: Vec<&'a Operation>,
    by_request: HashMap<RequestId, &'a Operation>,
}

impl<'a> Story<'a> {
    fn new(
        competition: &'a CompetitionId,
        log: &'a [AuditEntry],
        operations: Vec<&'a Operation>,
    ) -> Self {
        let firsts = operations.iter().filter(|operation| !operation.is_repeated);
        let by_request = firsts
            .map(|operation| (operation.request, *operation))
            .collect();
        Self {
            competition,
            log,
            operations,
            by_request,
        }
    }

    fn check(&self) -> Vec<String> {
        let changes = order::Changes::of(self);
        let bounds = order::bounds(self);
        let mut found = requests::check(self);
        found.extend(replay::check(self, &bounds, &changes));
        found.extend(order::check(self, &bounds, &changes));
        found
    }

    /// The entry of a revision. A log with a gap is found by the replay.
    fn entry(&self, revision: Revision) -> Option<&AuditEntry> {
        let found = self
            .log
            .binary_search_by_key(&revision, |entry| entry.revision);
        found.ok().map(|index| &self.log[index])
    }

    /// The operation that asked for an entry.
    fn asked(&self, entry: &AuditEntry) -> Option<&'a Operation> {
        self.by_request.get(&entry.request_id?).copied()
    }
}

/// Between which moments an operation was decided, by Redis's clock. A clock that is corrected meanwhile
/// is forgiven a tenth of a second.
fn moments(operation: &Operation) -> (Timestamp, Timestamp) {
    const SLACK: i64 = 100;
    let earliest = operation.asked_at.as_millis().saturating_sub(SLACK);
    let latest = operation.told_at.after(Duration::from_millis(SLACK as u64));
    (
        Timestamp::from_millis(earliest).unwrap_or(Timestamp::MIN),
        latest,
    )
}
