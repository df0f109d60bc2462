//! Decides whether the observations of all clients and the logs form one history that the rules
//! allow.
//!
//! - `requests`: each acknowledged request is in the log once, at the revision and with the result
//!   that its client observed; a request that was not applied is not there; each entry has its
//!   request.
//! - `order`: an operation that began after another had ended was decided after it.
//! - `replay`: replays the log through the model of the rules. Each result, read and refusal must
//!   be true at its revision, in every field: `expected` has the fields that a read must return,
//!   `refusal` the rule that must reject a call.
//!
//! The entry ids of a log are the revisions, so that each step is a sort and a sweep: O(n log n).

pub mod expected;
mod order;
mod refusal;
mod replay;
mod requests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use domain::{AuditEntry, CompetitionId, RequestId, Revision, Timestamp, UserId};

use crate::history::{Call, History, Operation};

/// The whole log of each competition, in order.
pub type Logs = BTreeMap<CompetitionId, Vec<AuditEntry>>;

/// A contradiction between observations, log and rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub competition: CompetitionId,
    pub description: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "competition {}: {}", self.competition, self.description)
    }
}

/// Returns all contradictions; an empty list means that every promise was kept.
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
        let found = CompetitionHistory::new(competition, log, operations).check();
        problems.extend(found.into_iter().map(|description| Problem {
            competition: competition.clone(),
            description,
        }));
    }
    problems
}

/// The log and the operations of one competition.
struct CompetitionHistory<'a> {
    competition: &'a CompetitionId,
    log: &'a [AuditEntry],
    operations: Vec<&'a Operation>,
    by_request: HashMap<RequestId, &'a Operation>,
    erased: HashSet<&'a UserId>,
}

impl<'a> CompetitionHistory<'a> {
    fn new(
        competition: &'a CompetitionId,
        log: &'a [AuditEntry],
        operations: Vec<&'a Operation>,
    ) -> Self {
        let firsts = operations.iter().filter(|operation| !operation.is_repeated);
        let by_request = firsts
            .map(|operation| (operation.request, *operation))
            .collect();
        let erased = operations
            .iter()
            .filter_map(|operation| match &operation.call {
                Call::Erase(user) => Some(user),
                _ => None,
            });
        Self {
            competition,
            log,
            erased: erased.collect(),
            operations,
            by_request,
        }
    }

    fn check(&self) -> Vec<String> {
        let timeline = order::Timeline::new(self);
        let bounds = order::bounds(self);
        let mut problems = requests::check(self);
        problems.extend(replay::check(self, &bounds, &timeline));
        problems.extend(order::check(self, &bounds, &timeline));
        problems
    }

    /// Whether a client has deleted the account of a user, or tried to. Then the reasons of the
    /// user's removals may be erased.
    fn may_be_erased(&self, user: &UserId) -> bool {
        self.erased.contains(user)
    }

    /// The entry of a revision. The replay finds gaps.
    fn entry(&self, revision: Revision) -> Option<&AuditEntry> {
        let found = self
            .log
            .binary_search_by_key(&revision, |entry| entry.revision);
        found.ok().map(|index| &self.log[index])
    }

    /// The operation that caused an entry.
    fn cause(&self, entry: &AuditEntry) -> Option<&'a Operation> {
        self.by_request.get(&entry.request_id?).copied()
    }
}

/// The earliest and the latest time, by the clock of Redis, at which an operation can have been
/// decided.
fn decision_window(operation: &Operation) -> (Timestamp, Timestamp) {
    // The system may correct its clock by this much while the operation runs.
    const CLOCK_TOLERANCE: i64 = 100;
    let earliest = operation
        .started_at
        .as_millis()
        .saturating_sub(CLOCK_TOLERANCE);
    let tolerance = Duration::from_millis(CLOCK_TOLERANCE as u64);
    (
        Timestamp::from_millis(earliest).unwrap_or(Timestamp::MIN),
        operation.ended_at.after(tolerance),
    )
}
