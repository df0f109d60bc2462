//! Replays the log through the model of the rules, and compares every result, read and refusal with
//! the state at its revision.

use std::collections::HashSet;
use std::slice;

use api::convert::timestamp;
use api::v1;
use domain::model::{Admission, Attempt};
use domain::{AuditEntry, Change, CompetitionState, RegistrationState, Revision, UserId};

use super::expected::ExpectedState;
use super::order::{Bounds, Timeline};
use super::{CompetitionHistory, decision_window, refusal};
use crate::history::{Call, Observation, Operation, SeenRegistration};

/// A statement that must be true when the replay has reached a certain revision.
#[derive(Clone, Copy)]
enum Claim<'a> {
    /// The result of an operation.
    Result(&'a Operation),
    /// A registration that was read, without its waitlist position.
    Registration(&'a Operation, &'a SeenRegistration),
    /// The waitlist position that was read is at most the position at this revision.
    PositionAtMost(&'a Operation, &'a SeenRegistration),
    /// The waitlist position that was read is at least the position at this revision.
    PositionAtLeast(&'a Operation, &'a SeenRegistration),
}

pub(super) fn check(
    history: &CompetitionHistory,
    bounds: &[Bounds],
    timeline: &Timeline,
) -> Vec<String> {
    let mut problems = Vec::new();
    let mut claims = Vec::new();
    for (operation, bounds) in history.operations.iter().zip(bounds) {
        collect_claims(operation, *bounds, timeline, &mut claims);
        if !is_true_within(*bounds, operation, timeline) {
            problems.push(format!(
                "{:?} returned {:?}, which is not true at any revision from {} to {}",
                operation.call, operation.observed, bounds.lower, bounds.upper
            ));
        }
    }
    claims.sort_by_key(|(revision, _)| *revision);
    problems.extend(replay(history, claims));
    problems
}

fn replay(history: &CompetitionHistory, claims: Vec<(Revision, Claim)>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut claims = claims.into_iter().peekable();
    let mut state = ExpectedState::new(history.competition);
    let mut log = history.log.iter();
    loop {
        let revision = state.model().revision();
        while let Some((_, claim)) = claims.next_if(|(at, _)| *at == revision) {
            problems.extend(claim.contradiction(history, &state));
        }
        let Some(entry) = log.next() else { break };
        if let Err(problem) = state.apply(entry) {
            problems.push(problem);
            // The state is no longer that of the log, so that later claims cannot be checked.
            return problems;
        }
        if is_late_withdrawal(history, &state, entry) {
            let revision = entry.revision;
            problems.push(format!("revision {revision}: a withdrawal after the start"));
        }
    }
    let last = history.log.last();
    if last.is_some_and(|last| state.model().owes_a_promotion(last.at))
        && !state.is_between_promotions()
    {
        problems.push("the log ends while a place is free and a user waits".to_owned());
    }
    let end = state.model().revision();
    problems.extend(claims.map(|(revision, claim)| {
        let claim = claim.describe();
        format!("{claim}, at revision {revision}, but the log ends at {end}")
    }));
    problems
}

/// Whether a confirmed user withdrew after the start. A waiting user may, and so does an account that
/// is deleted.
fn is_late_withdrawal(
    history: &CompetitionHistory,
    state: &ExpectedState,
    entry: &AuditEntry,
) -> bool {
    let was_confirmed = matches!(
        entry.change,
        Change::Registration {
            before: Some(RegistrationState::Confirmed),
            ..
        }
    );
    let cause = history.cause(entry).map(|operation| &operation.call);
    was_confirmed
        && matches!(cause, Some(Call::Withdraw(_)))
        && entry.at >= state.moment("starts_at")
}

/// Collects the claims of an operation, each with its revision.
fn collect_claims<'a>(
    operation: &'a Operation,
    bounds: Bounds,
    timeline: &Timeline,
    claims: &mut Vec<(Revision, Claim<'a>)>,
) {
    let registrations = match (&operation.call, &operation.observed) {
        (Call::ReadRegistration(_), Observation::Registration(seen)) => slice::from_ref(seen),
        (Call::List(_), Observation::Registrations(all)) => all,
        _ => {
            let revision = operation.revision();
            claims.extend(revision.map(|revision| (revision, Claim::Result(operation))));
            return;
        }
    };
    for seen in registrations {
        let revision = seen.revision();
        claims.push((revision, Claim::Registration(operation, seen)));
        let (Some(user), Some(_)) = (seen.user(), seen.registration.waitlist_position) else {
            continue;
        };
        // The position changes without a revision of the registration. It only decreases, so it is
        // compared at the first and the last revision at which the read can have been done.
        let first = bounds.lower.max(revision);
        let next = timeline.next_change(&user, revision);
        let last = next.map_or(bounds.upper, |next| {
            bounds.upper.min(Revision::new(next.get() - 1))
        });
        if first <= last {
            claims.push((first, Claim::PositionAtMost(operation, seen)));
            claims.push((last, Claim::PositionAtLeast(operation, seen)));
        }
    }
}

/// Whether a result without a revision is true at some revision between its bounds. Results with a
/// revision are [`Claim`]s.
fn is_true_within(bounds: Bounds, operation: &Operation, timeline: &Timeline) -> bool {
    let is_hidden = |state| match state {
        None => true,
        Some(state) => !operation.is_by_organiser() && state == CompetitionState::Draft,
    };
    match (&operation.call, &operation.observed) {
        (_, Observation::Invalid(_)) => false,
        (
            call,
            Observation::Refused {
                reason,
                revision: None,
                facts,
            },
        ) => {
            let competition = facts.get("competition_id");
            let is_right_reason = match (call, reason.as_str()) {
                (Call::Create(_), "COMPETITION_ID_TAKEN") => {
                    timeline.had_state(bounds, |state| state.is_some())
                }
                (_, "COMPETITION_NOT_FOUND") => timeline.had_state(bounds, is_hidden),
                _ => false,
            };
            is_right_reason && competition.is_some_and(|id| id == operation.competition.as_str())
        }
        (Call::ReadCompetition, Observation::Absent) => timeline.had_state(bounds, is_hidden),
        // A registration is never deleted, so it is absent only before its first change.
        (Call::ReadRegistration(user), Observation::Absent) => timeline
            .next_change(user, Revision::new(0))
            .is_none_or(|first| first > bounds.lower),
        (Call::List(states), Observation::Registrations(all)) => {
            let is_in_order = all.is_sorted_by(|one, next| one.revision() < next.revision());
            let was_asked_for =
                |seen: &SeenRegistration| states.iter().any(|state| seen.is_in(*state));
            is_in_order
                && all.iter().all(was_asked_for)
                && is_complete(states, all, bounds, timeline)
        }
        (Call::Erase(user), Observation::Done) => {
            let mut registrations = timeline.registrations_at(bounds.upper.max(bounds.lower));
            !registrations.any(|(of, state)| of == user && state.is_current())
        }
        _ => true,
    }
}

/// Whether a list has every registration that was in one of the states during the whole read.
fn is_complete(
    states: &[RegistrationState],
    all: &[SeenRegistration],
    bounds: Bounds,
    timeline: &Timeline,
) -> bool {
    let users = all.iter().map(|seen| seen.registration.user_id.as_str());
    let listed: HashSet<_> = users.collect();
    let mut registrations = timeline.registrations_at(bounds.lower);
    registrations.all(|(user, state)| {
        let has_changed = timeline
            .next_change(user, bounds.lower)
            .is_some_and(|next| next <= bounds.upper);
        has_changed || !states.contains(&state) || listed.contains(user.as_str())
    })
}

impl Claim<'_> {
    fn describe(&self) -> String {
        match self {
            Self::Result(operation) => {
                format!("{:?} returned {:?}", operation.call, operation.observed)
            }
            Self::Registration(operation, seen)
            | Self::PositionAtMost(operation, seen)
            | Self::PositionAtLeast(operation, seen) => {
                format!("{:?} returned {seen:?}", operation.call)
            }
        }
    }

    fn contradiction(self, history: &CompetitionHistory, state: &ExpectedState) -> Option<String> {
        let model = state.model();
        (!self.is_true(history, state)).then(|| {
            format!(
                "{}, which is not true at revision {}: {} confirmed, {} waiting",
                self.describe(),
                model.revision(),
                model.confirmed_count(),
                model.waitlisted_count()
            )
        })
    }

    fn is_true(self, history: &CompetitionHistory, state: &ExpectedState) -> bool {
        match self {
            Self::Result(operation) => is_result_true(history, state, operation),
            Self::Registration(_, seen) => {
                let is_waiting = seen.is_in(RegistrationState::Waitlisted);
                is_waiting == seen.registration.waitlist_position.is_some()
                    && seen
                        .user()
                        .is_some_and(|user| agrees(history, state, &user, seen))
            }
            Self::PositionAtMost(_, seen) => {
                positions(state, seen).is_some_and(|(read, now)| read <= now)
            }
            Self::PositionAtLeast(_, seen) => {
                positions(state, seen).is_some_and(|(read, now)| read >= now)
            }
        }
    }
}

/// The waitlist position that was read, and the position in this state.
fn positions(state: &ExpectedState, seen: &SeenRegistration) -> Option<(usize, usize)> {
    let read = usize::try_from(seen.registration.waitlist_position?).ok()?;
    let user = seen.user()?;
    let before = state.model().queue().position(|waiting| *waiting == user)?;
    Some((read, before + 1))
}

/// Whether a registration is as expected, apart from its waitlist position.
fn agrees(
    history: &CompetitionHistory,
    state: &ExpectedState,
    user: &UserId,
    seen: &SeenRegistration,
) -> bool {
    let Some(mut expected) = state.registration(user) else {
        return false;
    };
    expected.registration.waitlist_position = seen.registration.waitlist_position;
    if seen.registration.removal_reason.is_empty() && history.may_be_erased(user) {
        expected.registration.removal_reason.clear();
    }
    // Responses to users do not contain who added them.
    let is_added_by = seen.added_by.is_none() || seen.added_by == expected.added_by;
    seen.registration == expected.registration && is_added_by
}

fn is_result_true(
    history: &CompetitionHistory,
    state: &ExpectedState,
    operation: &Operation,
) -> bool {
    match (&operation.call, &operation.observed) {
        (Call::Preview(user), Observation::Registration(seen)) => {
            is_preview_true(state, operation, user, &seen.registration)
        }
        // The waitlist position is also in the log, where the model checks it.
        (call, Observation::Registration(seen)) => call
            .user()
            .is_some_and(|user| agrees(history, state, user, seen)),
        (_, Observation::Competition(seen)) => {
            let (_, latest) = decision_window(operation);
            let model = state.model();
            // The step that frees a place gives it to the first user of the waitlist, so that no
            // read finds it free.
            let has_promoted = !model.owes_a_promotion(latest) || state.is_between_promotions();
            let is_visible =
                operation.is_by_organiser() || model.state() != Some(CompetitionState::Draft);
            has_promoted && is_visible && **seen == state.competition()
        }
        (_, Observation::Refused { reason, facts, .. }) => {
            refusal::is_correct(state, operation, reason, facts)
        }
        _ => true,
    }
}

/// Whether a preview returned what registering would have done.
fn is_preview_true(
    state: &ExpectedState,
    operation: &Operation,
    user: &UserId,
    seen: &v1::Registration,
) -> bool {
    let (earliest, latest) = decision_window(operation);
    let opens_at = state.moment("registration_opens_at");
    let admission = [earliest, latest, opens_at]
        .into_iter()
        .filter(|at| (earliest..=latest).contains(at))
        .find_map(|at| state.model().enter(user, at, Attempt::Register).ok());
    let (expected, position) = match admission {
        None => return false,
        Some(Admission::Confirmed) => (RegistrationState::Confirmed, None),
        Some(Admission::Waitlisted(position)) => {
            (RegistrationState::Waitlisted, i32::try_from(position).ok())
        }
    };
    let order = |at: prost_types::Timestamp| (at.seconds, at.nanos);
    let window = order(timestamp(earliest))..=order(timestamp(latest));
    let first = state.created_at(user).map(timestamp);
    seen.updated_at
        .is_some_and(|at| window.contains(&order(at)))
        && seen.created_at == first.or(seen.updated_at)
        && seen.waitlist_position == position
        && seen.state() == v1::RegistrationState::from(expected)
        && seen.user_id == user.as_str()
        && seen.competition_id == operation.competition.as_str()
        && seen.removal_reason.is_empty()
}
