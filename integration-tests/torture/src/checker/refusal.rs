//! Which rule has to say no, and what it has to say beside its name.

use domain::model::{Attempt, Model};
use domain::{Action, Capacity, CompetitionState, RegistrationState, Rejection, Timestamp, UserId};

use super::standing::Standing;
use crate::history::{Call, Operation};

/// The moments at which a rule changes its mind by itself.
const EDGES: [&str; 3] = [
    "registration_opens_at",
    "registration_closes_at",
    "starts_at",
];

/// Whether a refusal is the one that the rules give at this revision, at some moment in which it can
/// have been decided.
pub(super) fn is_right(
    model: &Model,
    standing: &Standing,
    operation: &Operation,
    (earliest, latest): (Timestamp, Timestamp),
    reason: &str,
) -> bool {
    let edges = EDGES.map(|edge| standing.moment(edge));
    let edges = edges
        .into_iter()
        .filter(|edge| (earliest..=latest).contains(edge));
    [earliest, latest].into_iter().chain(edges).any(|at| {
        due(model, standing, operation, at)
            .is_some_and(|due| due.reason() == reason && says(operation, &due))
    })
}

/// Whether a refusal names what it is about, and the facts.
fn says(operation: &Operation, due: &Rejection) -> bool {
    let crate::history::Answer::Refused { facts, .. } = &operation.answer else {
        return false;
    };
    let is = |name: &str, value: &str| facts.get(name).is_some_and(|told| told == value);
    let is_about_user = match (facts.get("user_id"), operation.call.user()) {
        (Some(told), Some(user)) => told == user.as_str(),
        (told, _) => told.is_none(),
    };
    is("competition_id", operation.competition.as_str())
        && is_about_user
        && due.facts().iter().all(|(name, value)| is(name, value))
}

/// The rule that says no to a call; `None` = none does.
fn due(
    model: &Model,
    standing: &Standing,
    operation: &Operation,
    at: Timestamp,
) -> Option<Rejection> {
    use CompetitionState::{Cancelled, Draft, Published};
    let by_user = !matches!(operation.by, domain::Actor::Admin(_));
    let state = match model.state() {
        None => return Some(Rejection::CompetitionNotFound),
        Some(Draft) if by_user => return Some(Rejection::CompetitionNotFound),
        Some(state) => state,
    };
    let is_current = |user: &UserId| {
        let state = model.registration(user);
        state.is_some_and(RegistrationState::is_current)
    };
    match &operation.call {
        Call::Register(user) | Call::Preview(user) => {
            model.enter(user, at, Attempt::Register).err()
        }
        Call::Add(user, options) => model.enter(user, at, Attempt::Add(*options)).err(),
        Call::Withdraw(user) | Call::Remove(user) if !is_current(user) => {
            Some(Rejection::NotRegistered)
        }
        Call::Withdraw(_) if at >= standing.moment("starts_at") => {
            Some(Rejection::CompetitionStarted {
                started_at: standing.moment("starts_at"),
            })
        }
        Call::ReadRegistration(user) => {
            let is_known = model.registration(user).is_some();
            (!is_known).then_some(Rejection::NotRegistered)
        }
        Call::Set(..) if state == Cancelled => Some(Rejection::CompetitionCancelled),
        Call::Set("capacity", places) => {
            let places: u32 = places.parse().ok()?;
            let confirmed_count = u32::try_from(model.confirmed_count()).ok()?;
            (places < confirmed_count).then_some(Rejection::CapacityBelowConfirmed {
                capacity: Capacity::parse(places.into()).ok()?,
                confirmed_count,
            })
        }
        Call::Change(action) => match (action, state) {
            (Action::Publish | Action::Cancel, Cancelled) => Some(Rejection::CompetitionCancelled),
            (Action::Publish, Published) | (Action::Delete, Published | Cancelled) => {
                Some(Rejection::CompetitionNotDraft)
            }
            (Action::Cancel, Draft) => Some(Rejection::CompetitionNotPublished),
            _ => None,
        },
        _ => None,
    }
}
