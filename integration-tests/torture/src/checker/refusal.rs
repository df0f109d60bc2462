//! The rule that must reject a call, and the facts that its error must contain.

use std::collections::BTreeMap;

use domain::model::Attempt;
use domain::{Action, Capacity, CompetitionState, RegistrationState, Rejection, Timestamp, UserId};

use super::decision_window;
use super::expected::ExpectedState;
use crate::history::{Call, Operation};

/// The moments at which the result of a rule changes without a change of the competition.
const TURNING_POINTS: [&str; 3] = [
    "registration_opens_at",
    "registration_closes_at",
    "starts_at",
];

/// Whether the rules reject the call with this reason and these facts at this revision, at some
/// moment at which it can have been decided.
pub(super) fn is_correct(
    state: &ExpectedState,
    operation: &Operation,
    reason: &str,
    facts: &BTreeMap<String, String>,
) -> bool {
    let (earliest, latest) = decision_window(operation);
    let turning_points = TURNING_POINTS.map(|field| state.moment(field));
    let turning_points = turning_points
        .into_iter()
        .filter(|at| (earliest..=latest).contains(at));
    [earliest, latest]
        .into_iter()
        .chain(turning_points)
        .any(|at| {
            rejection(state, operation, at).is_some_and(|rejection| {
                rejection.reason() == reason && are_correct(facts, operation, &rejection)
            })
        })
}

fn are_correct(
    facts: &BTreeMap<String, String>,
    operation: &Operation,
    rejection: &Rejection,
) -> bool {
    let has = |name: &str, value: &str| facts.get(name).is_some_and(|seen| seen == value);
    let has_right_user = match (facts.get("user_id"), operation.call.user()) {
        (Some(seen), Some(user)) => seen == user.as_str(),
        (seen, _) => seen.is_none(),
    };
    has("competition_id", operation.competition.as_str())
        && has_right_user
        && rejection
            .facts()
            .iter()
            .all(|(name, value)| has(name, value))
}

/// The rejection of a call at a moment; `None` if the rules allow it.
fn rejection(state: &ExpectedState, operation: &Operation, at: Timestamp) -> Option<Rejection> {
    let model = state.model();
    let current = match model.state() {
        None => return Some(Rejection::CompetitionNotFound),
        // A user does not see a draft.
        Some(CompetitionState::Draft) if !operation.is_by_organiser() => {
            return Some(Rejection::CompetitionNotFound);
        }
        Some(current) => current,
    };
    let is_registered = |user: &UserId| {
        let registration = model.registration(user);
        registration.is_some_and(RegistrationState::is_current)
    };
    let started_at = state.moment("starts_at");
    match &operation.call {
        Call::Register(user) | Call::Preview(user) => {
            model.enter(user, at, Attempt::Register).err()
        }
        Call::Add { user, options, .. } => model.enter(user, at, Attempt::Add(*options)).err(),
        Call::Withdraw(user) | Call::Remove(user) if !is_registered(user) => {
            Some(Rejection::NotRegistered)
        }
        Call::Withdraw(user)
            if at >= started_at
                && model.registration(user) == Some(RegistrationState::Confirmed) =>
        {
            Some(Rejection::CompetitionStarted { started_at })
        }
        Call::ReadRegistration(user) if model.registration(user).is_none() => {
            Some(Rejection::NotRegistered)
        }
        Call::Set(..) if current == CompetitionState::Cancelled => {
            Some(Rejection::CompetitionCancelled)
        }
        Call::Set("capacity", capacity) => below_confirmed(state, capacity),
        Call::Publish | Call::Cancel | Call::Delete => change_rejection(&operation.call, current),
        _ => None,
    }
}

fn below_confirmed(state: &ExpectedState, capacity: &str) -> Option<Rejection> {
    let capacity: u32 = capacity.parse().ok()?;
    let confirmed_count = u32::try_from(state.model().confirmed_count()).ok()?;
    let places = usize::try_from(capacity).ok();
    let is_refused = state.model().shrinks_below_confirmed(places);
    is_refused.then_some(Rejection::CapacityBelowConfirmed {
        capacity: Capacity::parse(capacity.into()).ok()?,
        confirmed_count,
    })
}

fn change_rejection(call: &Call, current: CompetitionState) -> Option<Rejection> {
    use CompetitionState::{Cancelled, Draft, Published};
    match (call.action()?, current) {
        (Action::Publish | Action::Cancel, Cancelled) => Some(Rejection::CompetitionCancelled),
        (Action::Publish, Published) | (Action::Delete, Published | Cancelled) => {
            Some(Rejection::CompetitionNotDraft)
        }
        (Action::Cancel, Draft) => Some(Rejection::CompetitionNotPublished),
        _ => None,
    }
}
