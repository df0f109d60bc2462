//! The log through the model of the rules; every read and every refusal at the revision that it names.

use domain::model::{Door, Model, NoEntry};
use domain::{CompetitionState, RegistrationState, Revision, Timestamp, UserId};

use super::Story;
use crate::history::{Answer, Call, Operation};

pub(super) fn check(story: &Story) -> Vec<String> {
    let mut problems = Vec::new();
    let mut told: Vec<(Revision, &Operation)> = Vec::new();
    for operation in &story.operations {
        match operation.answer.revision() {
            Some(revision) => told.push((revision, operation)),
            None if matches!(operation.answer, Answer::Refused { .. }) => problems.push(format!(
                "{:?} was refused without a revision: {:?}",
                operation.call, operation.answer
            )),
            None => {}
        }
    }
    told.sort_by_key(|(revision, _)| *revision);
    let mut told = told.into_iter().peekable();
    let mut model = Model::default();
    let mut log = story.log.iter();
    loop {
        while let Some((_, operation)) = told.next_if(|(at, _)| *at == model.revision()) {
            if !is_true(&model, story.began_at, operation) {
                problems.push(format!(
                    "{:?} was answered {:?}, which is not true there: {} confirmed, {} waiting",
                    operation.call,
                    operation.answer,
                    model.confirmed_count(),
                    model.waitlisted_count()
                ));
            }
        }
        let Some(entry) = log.next() else { break };
        if let Err(violation) = model.apply(entry) {
            problems.push(violation.to_string());
            // What follows would be judged by a state that is not the one of the log.
            return problems;
        }
    }
    problems.extend(told.map(|(_, operation)| {
        format!(
            "{:?} was answered {:?}, the log ends at revision {}",
            operation.call,
            operation.answer,
            model.revision()
        )
    }));
    problems
}

/// Whether what was told holds in the competition at the revision that was told.
fn is_true(model: &Model, began_at: Timestamp, operation: &Operation) -> bool {
    match &operation.answer {
        Answer::Registration { state, .. } => {
            let user = operation.call.user();
            user.and_then(|user| model.registration(user)) == Some(*state)
        }
        Answer::Competition {
            confirmed,
            waitlisted,
            ..
        } => {
            let is_settled = !model.owes_a_promotion(began_at.after(operation.started));
            // A place that becomes free goes to the first in the queue in the same step: nobody sees it free.
            // (More than 100 at a time would be seen; the load asks for fewer.)
            is_settled
                && *confirmed == model.confirmed_count()
                && *waitlisted == model.waitlisted_count()
        }
        Answer::Refused { reason, .. } => {
            // Redis decided at some moment between these two.
            let moments = [operation.started, operation.ended].map(|wait| began_at.after(wait));
            moments
                .into_iter()
                .any(|at| is_rightly_refused(model, at, &operation.call, reason))
        }
        Answer::NotApplied | Answer::Unknown => true,
    }
}

fn is_rightly_refused(model: &Model, at: Timestamp, call: &Call, reason: &str) -> bool {
    let is_current = |user: &UserId| {
        let state = model.registration(user);
        state.is_some_and(RegistrationState::is_current)
    };
    let is_there = !matches!(model.state(), None | Some(CompetitionState::Draft));
    match (call, reason) {
        (Call::Register(user), reason) => is_kept_out(model, user, at, Door::default(), reason),
        (Call::Add(user, door), reason) => is_kept_out(model, user, at, *door, reason),
        (Call::Withdraw(user) | Call::Remove(user), "NOT_REGISTERED") => !is_current(user),
        (Call::ReadRegistration(user), "NOT_REGISTERED") => model.registration(user).is_none(),
        (Call::SetCapacity(places), "CAPACITY_BELOW_CONFIRMED") => {
            usize::try_from(*places).is_ok_and(|places| places < model.confirmed_count())
        }
        (_, "COMPETITION_NOT_FOUND") => !is_there,
        _ => false,
    }
}

fn is_kept_out(model: &Model, user: &UserId, at: Timestamp, door: Door, reason: &str) -> bool {
    let Err(why) = model.enter(user, at, door) else {
        return false;
    };
    reason
        == match why {
            NoEntry::NotPublished if door.by_organiser => "COMPETITION_NOT_PUBLISHED",
            NoEntry::NotPublished => "COMPETITION_NOT_FOUND",
            NoEntry::Cancelled => "COMPETITION_CANCELLED",
            NoEntry::AlreadyRegistered => "ALREADY_REGISTERED",
            NoEntry::Removed => "REMOVED_BY_ORGANISER",
            NoEntry::NotOpenYet => "REGISTRATION_NOT_OPEN_YET",
            NoEntry::Closed => "REGISTRATION_CLOSED",
            NoEntry::Full => "COMPETITION_FULL",
        }
}
