//! Real time: an operation that began after another had ended was decided after it.

use std::collections::HashMap;

use domain::{Action, Change, CompetitionState, RegistrationState, Revision, UserId};

use super::CompetitionHistory;
use crate::history::{Call, Observation, Operation};

/// The revisions between which an operation was decided, as far as other operations show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The highest revision that a client had observed before the operation began.
    pub(super) lower: Revision,
    /// The lowest revision decided by an operation that began after this one had ended.
    pub(super) upper: Revision,
}

/// The changes of each state in the order of their revisions.
pub(super) struct Timeline<'a> {
    registrations: HashMap<&'a UserId, Vec<(Revision, RegistrationState)>>,
    states: Vec<(Revision, Option<CompetitionState>)>,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(history: &CompetitionHistory<'a>) -> Self {
        let mut registrations = HashMap::<_, Vec<_>>::new();
        let mut states = vec![(Revision::new(0), None)];
        for entry in history.log {
            if let Change::Registration { user_id, after, .. } = &entry.change {
                let changes = registrations.entry(user_id).or_default();
                changes.push((entry.revision, *after));
            }
            let state = match entry.action {
                Action::Create => Some(CompetitionState::Draft),
                Action::Publish => Some(CompetitionState::Published),
                Action::Cancel => Some(CompetitionState::Cancelled),
                Action::Delete => None,
                _ => continue,
            };
            states.push((entry.revision, state));
        }
        Self {
            registrations,
            states,
        }
    }

    /// The first change of a user's registration after a revision.
    pub(super) fn next_change(&self, user: &UserId, after: Revision) -> Option<Revision> {
        let changes = self.registrations.get(user)?;
        let next = changes.partition_point(|(change, _)| *change <= after);
        changes.get(next).map(|(revision, _)| *revision)
    }

    /// The state of every registration at a revision.
    pub(super) fn registrations_at(
        &self,
        revision: Revision,
    ) -> impl Iterator<Item = (&'a UserId, RegistrationState)> {
        self.registrations
            .iter()
            .filter_map(move |(user, changes)| {
                let next = changes.partition_point(|(change, _)| *change <= revision);
                let (_, state) = changes.get(next.checked_sub(1)?)?;
                Some((*user, *state))
            })
    }

    /// Whether the state of the competition fits at some revision between the bounds.
    pub(super) fn had_state(
        &self,
        bounds: Bounds,
        fits: impl Fn(Option<CompetitionState>) -> bool,
    ) -> bool {
        let count_until = |revision| self.states.partition_point(|(since, _)| *since <= revision);
        let (first, last) = (count_until(bounds.lower), count_until(bounds.upper));
        let mut between = self.states[first.saturating_sub(1)..last.max(first)].iter();
        between.any(|(_, state)| fits(*state))
    }
}

/// Returns the bounds of each operation, in the order of the operations.
pub(super) fn bounds(history: &CompetitionHistory) -> Vec<Bounds> {
    let operations = &history.operations;
    let end = history
        .log
        .last()
        .map_or(Revision::new(0), |entry| entry.revision);
    let mut bounds = vec![
        Bounds {
            lower: Revision::new(0),
            upper: end
        };
        operations.len()
    ];
    let mut by_start: Vec<_> = (0..operations.len()).collect();
    let mut by_end = by_start.clone();
    by_start.sort_by_key(|&n| operations[n].started);
    by_end.sort_by_key(|&n| operations[n].ended);

    // Forwards in time: what was observed before each start.
    let mut known = Revision::new(0);
    let mut ended = by_end.iter().peekable();
    for &n in &by_start {
        let begin = operations[n].started;
        while let Some(&before) = ended.next_if(|&&before| operations[before].ended < begin) {
            known = known.max(operations[before].revision().unwrap_or_default());
        }
        bounds[n].lower = known;
    }
    // Backwards in time: what was decided after each end.
    let mut known = end;
    let mut started = by_start.iter().rev().peekable();
    for &n in by_end.iter().rev() {
        let end = operations[n].ended;
        while let Some(&after) = started.next_if(|&&after| operations[after].started > end) {
            known = known.min(decided_by(operations[after]).unwrap_or(known));
        }
        bounds[n].upper = known;
    }
    bounds
}

/// A revision that did not exist before this operation began, or at which it was decided.
fn decided_by(operation: &Operation) -> Option<Revision> {
    let is_fresh = match operation.call {
        // Their revision is that of the registration, or does not exist.
        Call::ReadRegistration(_) | Call::List(_) | Call::Preview(_) => false,
        _ => !operation.is_repeated,
    };
    operation.revision().filter(|_| is_fresh)
}

pub(super) fn check(
    history: &CompetitionHistory,
    bounds: &[Bounds],
    timeline: &Timeline,
) -> Vec<String> {
    let stale = history
        .operations
        .iter()
        .zip(bounds)
        .filter(|(operation, bounds)| {
            !operation.is_repeated && is_stale(operation, bounds.lower, timeline)
        });
    stale
        .map(|(operation, bounds)| {
            format!(
                "{:?} returned {:?}, although a client had observed revision {} before it began",
                operation.call, operation.observed, bounds.lower
            )
        })
        .collect()
}

fn is_stale(operation: &Operation, known: Revision, timeline: &Timeline) -> bool {
    let is_missed = |user: &UserId, seen: Revision| {
        let next = timeline.next_change(user, seen);
        next.is_some_and(|missed| missed <= known)
    };
    match (&operation.call, &operation.observed) {
        // Its revision is that of the registration, and not that of the read.
        (Call::ReadRegistration(user), Observation::Registration(seen)) => {
            is_missed(user, seen.revision())
        }
        (Call::List(_), Observation::Registrations(all)) => all.iter().any(|seen| {
            let user = seen.user();
            user.is_some_and(|user| is_missed(&user, seen.revision()))
        }),
        (call, observed) => operation.revision().is_some_and(|decided| {
            // Setting a field to its value changes nothing.
            let is_change = call.action().is_some()
                && !matches!(call, Call::Set(..))
                && !matches!(observed, Observation::Refused { .. });
            decided < known || (is_change && decided == known)
        }),
    }
}
