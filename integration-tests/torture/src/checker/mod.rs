//! Decides whether the answers that clients got and the logs are one story that the rules allow.
//!
//! - `requests`: each acknowledged request is in the log once, at the revision that it was told, with
//!   that answer; what was not applied is not there; nothing is there that nobody asked for.
//! - `replay`: the log goes through the model of the rules, and every read and refusal is true at the
//!   revision that it names.
//! - `order`: who began after another had ended was decided after it.
//!
//! The entry ids of a log are the revisions, so each step is a sort and a sweep: O(n log n).

mod order;
mod replay;
mod requests;

use std::collections::BTreeMap;
use std::fmt;

use domain::{AuditEntry, CompetitionId, Revision};

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
        let story = Story {
            began_at: history.began_at,
            log: logs.get(competition).map_or(&[], Vec::as_slice),
            operations,
        };
        let mut found = requests::check(&story);
        found.extend(replay::check(&story));
        found.extend(order::check(&story));
        problems.extend(found.into_iter().map(|what| Problem {
            competition: competition.clone(),
            what,
        }));
    }
    problems
}

/// What is known of one competition.
struct Story<'a> {
    began_at: domain::Timestamp,
    log: &'a [AuditEntry],
    operations: Vec<&'a Operation>,
}

impl Story<'_> {
    /// The entry of a revision. A log with a gap is found by the replay.
    fn entry(&self, revision: Revision) -> Option<&AuditEntry> {
        let found = self
            .log
            .binary_search_by_key(&revision, |entry| entry.revision);
        found.ok().map(|index| &self.log[index])
    }
}
