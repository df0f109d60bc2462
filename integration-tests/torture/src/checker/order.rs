//! Real time: whoever began after another had ended was decided after it.

use std::collections::HashMap;

use domain::{Action, Change, CompetitionState, RegistrationState, Revision, UserId};

use super::Story;
use crate::history::{Answer, Call, Operation};

/// Between which revisions an operation was decided, as far as the other operations tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The highest revision that somebody had been told before it began.
    pub(super) lower: Revision,
    /// The lowest one that was decided by somebody who began after it had ended.
    pub(super) upper: Revision,
}

/// What changed at which revision, in order.
pub(super) struct Changes<'a> {
    registrations: HashMap<&'a UserId, Vec<(Revision, RegistrationState)>>,
    states: Vec<(Revision, Option<CompetitionState>)>,
}

impl<'a> Changes<'a> {
    pub(super) fn of(story: &Story<'a>) -> Self {
        let mut registrations = HashMap::<_, Vec<_>>::new();
        let mut states = vec![(Revision::new(0), None)];
        for entry in story.log {
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
    pub(super) fn next(&self, user: &UserId, after: Revision) -> Option<Revision> {
        let changes = self.registrations.get(user)?;
        let next = changes.partition_point(|(change, _)| *change <= after);
        changes.get(next).map(|(revision, _)| *revision)
    }

    /// What every registration was at a revision that had one then.
    pub(super) fn at(
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

    /// Whether the competition was so at some revision between these.
    pub(super) fn was(
        &self,
        bounds: Bounds,
        is_so: impl Fn(Option<CompetitionState>) -> bool,
    ) -> bool {
        let first = self
            .states
            .partition_point(|(since, _)| *since <= bounds.lower);
        let last = self
            .states
            .partition_point(|(since, _)| *since <= bounds.upper);
        let mut during = self.states[first.saturating_sub(1)..last.max(first)].iter();
        during.any(|(_, state)| is_so(*state))
    }
}

/// The bounds of each operation of the story, in the order in which it has them.
pub(super) fn bounds(story: &Story) -> Vec<Bounds> {
    let operations = &story.operations;
    let end = story
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

    let mut known = Revision::new(0);
    let mut ended = by_end.iter().peekable();
    for &n in &by_start {
        let begin = operations[n].started;
        while let Some(&before) = ended.next_if(|&&before| operations[before].ended < begin) {
            known = known.max(operations[before].revision().unwrap_or_default());
        }
        bounds[n].lower = known;
    }
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

/// A revision that was not there before this operation began, or that it was decided at.
fn decided_by(operation: &Operation) -> Option<Revision> {
    let is_fresh = match operation.call {
        // They name the revision of the registration, or one that there is not.
        Call::ReadRegistration(_) | Call::List(_) | Call::Preview(_) => false,
        _ => !operation.is_repeated,
    };
    operation.revision().filter(|_| is_fresh)
}

pub(super) fn check(story: &Story, bounds: &[Bounds], changes: &Changes) -> Vec<String> {
    let stale = story
        .operations
        .iter()
        .zip(bounds)
        .filter(|(operation, bounds)| {
            !operation.is_repeated && is_stale(operation, bounds.lower, changes)
        });
    stale
        .map(|(operation, bounds)| {
            format!(
                "{:?} was answered {:?}, though revision {} had been told before it began",
                operation.call, operation.answer, bounds.lower
            )
        })
        .collect()
}

fn is_stale(operation: &Operation, known: Revision, changes: &Changes) -> bool {
    let is_missed = |user: &UserId, told: Revision| {
        let next = changes.next(user, told);
        next.is_some_and(|missed| missed <= known)
    };
    match (&operation.call, &operation.answer) {
        // It names the revision of the registration, not that of the reading.
        (Call::ReadRegistration(user), Answer::Registration(held)) => {
            is_missed(user, held.revision())
        }
        (Call::List(_), Answer::Registrations(all)) => all.iter().any(|held| {
            let user = UserId::parse(held.registration.user_id.as_str());
            user.is_ok_and(|user| is_missed(&user, held.revision()))
        }),
        (call, answer) => operation.revision().is_some_and(|decided| {
            // A field that is set to what it is changes nothing.
            let is_change = call.action().is_some()
                && !matches!(call, Call::Set(..))
                && !matches!(answer, Answer::Refused { .. });
            decided < known || (is_change && decided == known)
        }),
    }
}
