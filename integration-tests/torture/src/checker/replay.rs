//! The log through the model of the rules; every answer, read and refusal at the revision that it names.

use domain::model::{Admission, Attempt, Model};
use domain::{Action, CompetitionState, RegistrationState, Revision, UserId};

use super::order::{Bounds, Changes};
use super::refusal;
use super::standing::{Standing, protobuf};
use super::{Story, moments};
use crate::history::{Answer, Call, Held, Operation};

/// What is looked at when the replay comes to a revision.
#[derive(Clone, Copy)]
enum Question<'a> {
    /// Whether an answer is true.
    Answer(&'a Operation),
    /// Whether a registration that was read is true, but for its place in the queue.
    Read(&'a Operation, &'a Held),
    /// The place that was read may not be farther behind than this.
    AtMost(&'a Operation, &'a Held),
    /// Nor farther in front than this.
    AtLeast(&'a Operation, &'a Held),
}

pub(super) fn check(story: &Story, bounds: &[Bounds], changes: &Changes) -> Vec<String> {
    let mut problems = Vec::new();
    let mut questions = Vec::new();
    for (operation, bounds) in story.operations.iter().zip(bounds) {
        ask(operation, *bounds, changes, &mut questions);
        if !is_true_without_revision(operation, *bounds, changes) {
            problems.push(format!(
                "{:?} was answered {:?}, which was not true at any revision from {} to {}",
                operation.call, operation.answer, bounds.lower, bounds.upper
            ));
        }
    }
    questions.sort_by_key(|(revision, _)| *revision);
    let mut questions = questions.into_iter().peekable();
    let mut model = Model::default();
    let mut standing = Standing::new(story.competition);
    let mut log = story.log.iter();
    loop {
        while let Some((_, question)) = questions.next_if(|(at, _)| *at == model.revision()) {
            if !question.is_true(&model, &standing) {
                problems.push(format!(
                    "{}, which is not true at revision {}: {} confirmed, {} waiting",
                    question.told(),
                    model.revision(),
                    model.confirmed_count(),
                    model.waitlisted_count()
                ));
            }
        }
        let Some(entry) = log.next() else { break };
        let applied = model
            .apply(entry)
            .map_err(|violation| violation.to_string());
        if let Err(problem) = applied.and_then(|()| standing.take(entry)) {
            problems.push(problem);
            // What follows would be judged by a state that is not the one of the log.
            return problems;
        }
        // A deleted account leaves later, until the competition is over.
        let is_own = story
            .asked(entry)
            .is_some_and(|asked| matches!(asked.call, Call::Withdraw(_)));
        if is_own && entry.at >= standing.moment("starts_at") {
            problems.push(format!(
                "revision {}: a withdrawal after the start",
                entry.revision
            ));
        }
    }
    if story
        .log
        .last()
        .is_some_and(|last| model.owes_a_promotion(last.at))
        && !standing.is_between_promotions()
    {
        problems.push("the log ends while a place is free and somebody waits".to_owned());
    }
    problems.extend(questions.map(|(revision, question)| {
        format!(
            "{}, at revision {revision}, the log ends at {}",
            question.told(),
            model.revision()
        )
    }));
    problems
}

/// Collects what has to be asked about an operation, each with the revision at which.
fn ask<'a>(
    operation: &'a Operation,
    bounds: Bounds,
    changes: &Changes,
    questions: &mut Vec<(Revision, Question<'a>)>,
) {
    let held: &[Held] = match (&operation.call, &operation.answer) {
        (Call::ReadRegistration(_), Answer::Registration(held)) => std::slice::from_ref(held),
        (Call::List(_), Answer::Registrations(all)) => all,
        _ => {
            let question = |at| (at, Question::Answer(operation));
            questions.extend(operation.revision().map(question));
            return;
        }
    };
    for held in held {
        let revision = held.revision();
        questions.push((revision, Question::Read(operation, held)));
        let Ok(user) = UserId::parse(held.registration.user_id.as_str()) else {
            continue;
        };
        if held.registration.waitlist_position.is_some() {
            // While the registration was so and the reading can have been.
            let first = bounds.lower.max(revision);
            let next = changes.next(&user, revision);
            let last = next.map_or(bounds.upper, |next| {
                bounds.upper.min(Revision::new(next.get() - 1))
            });
            if first <= last {
                questions.push((first, Question::AtMost(operation, held)));
                questions.push((last, Question::AtLeast(operation, held)));
            }
        }
    }
}

/// Whether what an answer says is true somewhere between its bounds, if it names no revision.
fn is_true_without_revision(operation: &Operation, bounds: Bounds, changes: &Changes) -> bool {
    let by_organiser = matches!(operation.by, domain::Actor::Admin(_));
    let is_hidden = |state| match state {
        None => true,
        Some(state) => !by_organiser && state == CompetitionState::Draft,
    };
    match (&operation.call, &operation.answer) {
        (_, Answer::Nonsense(_)) => false,
        (
            call,
            Answer::Refused {
                reason,
                revision: None,
                facts,
            },
        ) => {
            let is_about = facts.get("competition_id").map(String::as_str)
                == Some(operation.competition.as_str());
            is_about
                && match (call, reason.as_str()) {
                    (Call::Change(Action::Create), "COMPETITION_ID_TAKEN") => {
                        changes.was(bounds, |state| state.is_some())
                    }
                    (_, "COMPETITION_NOT_FOUND") => changes.was(bounds, is_hidden),
                    _ => false,
                }
        }
        (Call::ReadCompetition, Answer::Absent) => changes.was(bounds, is_hidden),
        // A registration that once was is there for good.
        (Call::ReadRegistration(user), Answer::Absent) => changes
            .next(user, Revision::new(0))
            .is_none_or(|first| first > bounds.lower),
        (Call::List(states), Answer::Registrations(all)) => {
            let is_in_order = all.is_sorted_by(|one, next| one.revision() < next.revision());
            let is_wanted = |held: &Held| states.iter().any(|state| is(held, *state));
            is_in_order && all.iter().all(is_wanted) && lacks_nobody(states, all, bounds, changes)
        }
        (Call::Erase(user), Answer::Done) => {
            let mut at_the_end = changes.at(bounds.upper.max(bounds.lower));
            !at_the_end.any(|(one, state)| one == user && state.is_current())
        }
        _ => true,
    }
}

fn is(held: &Held, state: RegistrationState) -> bool {
    held.registration.state() == api::v1::RegistrationState::from(state)
}

/// Whether everybody is in a list who was to be in it all the time.
fn lacks_nobody(
    states: &[RegistrationState],
    all: &[Held],
    bounds: Bounds,
    changes: &Changes,
) -> bool {
    let listed: std::collections::HashSet<_> = all
        .iter()
        .map(|held| held.registration.user_id.as_str())
        .collect();
    changes.at(bounds.lower).all(|(user, state)| {
        let has_stayed = changes
            .next(user, bounds.lower)
            .is_none_or(|next| next > bounds.upper);
        !has_stayed || !states.contains(&state) || listed.contains(user.as_str())
    })
}

impl Question<'_> {
    fn told(&self) -> String {
        match self {
            Self::Answer(operation) => {
                format!("{:?} was answered {:?}", operation.call, operation.answer)
            }
            Self::Read(operation, held)
            | Self::AtMost(operation, held)
            | Self::AtLeast(operation, held) => {
                format!("{:?} was answered {held:?}", operation.call)
            }
        }
    }

    fn is_true(self, model: &Model, standing: &Standing) -> bool {
        match self {
            Self::Answer(operation) => is_true(model, standing, operation),
            Self::Read(_, held) => {
                let user = UserId::parse(held.registration.user_id.as_str());
                let Some(mut due) = user.ok().and_then(|user| standing.registration(&user)) else {
                    return false;
                };
                let waits = is(held, RegistrationState::Waitlisted);
                let position = held.registration.waitlist_position;
                due.registration.waitlist_position = position;
                waits == position.is_some() && agree(&due, held)
            }
            Self::AtMost(_, held) => place(model, held).is_some_and(|(told, due)| told <= due),
            Self::AtLeast(_, held) => place(model, held).is_some_and(|(told, due)| told >= due),
        }
    }
}

/// The place in the queue that was told, and the one that is.
fn place(model: &Model, held: &Held) -> Option<(usize, usize)> {
    let told = usize::try_from(held.registration.waitlist_position?).ok()?;
    let user = held.registration.user_id.as_str();
    let due = model.queue().position(|waiting| waiting.as_str() == user)?;
    Some((told, due + 1))
}

/// Users are not told who added them.
fn agree(due: &Held, told: &Held) -> bool {
    due.registration == told.registration
        && told
            .added_by
            .as_ref()
            .is_none_or(|_| told.added_by == due.added_by)
}

/// Whether what was told holds in the competition at the revision that was told.
fn is_true(model: &Model, standing: &Standing, operation: &Operation) -> bool {
    match &operation.answer {
        Answer::Registration(held) if matches!(operation.call, Call::Preview(_)) => {
            is_foreseen(model, standing, operation, held)
        }
        Answer::Registration(held) => {
            let user = operation.call.user();
            let Some(mut due) = user.and_then(|user| standing.registration(user)) else {
                return false;
            };
            // The place that it got stands in the log, which the model judges.
            due.registration.waitlist_position = held.registration.waitlist_position;
            agree(&due, held)
        }
        Answer::Competition(told) => {
            let (_, latest) = moments(operation);
            // A place that becomes free goes to the first in the queue in the same step: nobody sees it free.
            let is_settled = !model.owes_a_promotion(latest) || standing.is_between_promotions();
            let is_seen = model.state() != Some(CompetitionState::Draft)
                || matches!(operation.by, domain::Actor::Admin(_));
            is_settled && is_seen && **told == standing.competition(model)
        }
        Answer::Refused { reason, .. } => {
            refusal::is_right(model, standing, operation, moments(operation), reason)
        }
        _ => true,
    }
}

/// Whether a preview says what registering would have done.
fn is_foreseen(model: &Model, standing: &Standing, operation: &Operation, told: &Held) -> bool {
    let Call::Preview(user) = &operation.call else {
        return false;
    };
    let (earliest, latest) = moments(operation);
    let opens_at = standing.moment("registration_opens_at");
    let place = [earliest, latest, opens_at]
        .into_iter()
        .filter(|at| (earliest..=latest).contains(at))
        .find_map(|at| model.enter(user, at, Attempt::Register).ok());
    let position = match place {
        None => return false,
        Some(Admission::Confirmed) => None,
        Some(Admission::Waitlisted(position)) => i32::try_from(position).ok(),
    };
    let state = match position {
        None => RegistrationState::Confirmed,
        Some(_) => RegistrationState::Waitlisted,
    };
    let told = &told.registration;
    let first = standing.created_at(user).map(protobuf);
    is_within(told.updated_at, operation)
        && told.created_at == first.or(told.updated_at)
        && told.waitlist_position == position
        && told.state() == api::v1::RegistrationState::from(state)
        && told.user_id == user.as_str()
        && told.competition_id == operation.competition.as_str()
        && told.removal_reason.is_empty()
}

fn is_within(at: Option<prost_types::Timestamp>, operation: &Operation) -> bool {
    let (earliest, latest) = moments(operation);
    let order = |at: prost_types::Timestamp| (at.seconds, at.nanos);
    at.is_some_and(|at| (order(protobuf(earliest))..=order(protobuf(latest))).contains(&order(at)))
}
