//! Requests and the log: each at most once, and as it was told.

use std::collections::HashMap;

use domain::{Action, Actor, AuditEntry, Change, RequestId, Revision};

use super::Story;
use crate::history::{Answer, Call, Operation};

pub(super) fn check(story: &Story) -> Vec<String> {
    let mut problems = Vec::new();
    let mut entries = HashMap::<RequestId, &AuditEntry>::new();
    let asked: HashMap<RequestId, &Operation> = story
        .operations
        .iter()
        .map(|operation| (operation.request, *operation))
        .collect();
    for entry in story.log {
        match entry.request_id {
            None if entry.action == Action::Promote && entry.actor == Actor::Rules => {}
            None => problems.push(format!(
                "revision {}: nobody asked for this {:?}",
                entry.revision, entry.action
            )),
            Some(request) => {
                if let Some(first) = entries.insert(request, entry) {
                    problems.push(format!(
                        "request {request} was decided twice, at revisions {} and {}",
                        first.revision, entry.revision
                    ));
                }
                match asked.get(&request) {
                    Some(operation) if is_made_by(entry, &operation.call) => {}
                    Some(operation) => problems.push(format!(
                        "request {request} asked for {:?}, the log says {entry:?}",
                        operation.call
                    )),
                    None => problems.push(format!("nobody sent request {request}: {entry:?}")),
                }
            }
        }
    }
    for operation in &story.operations {
        let entry = entries.get(&operation.request).copied();
        if let Some(problem) = contradiction(story, operation, entry) {
            problems.push(format!("request {}: {problem}", operation.request));
        }
    }
    problems
}

/// Whether an entry is what this call leaves in the log.
fn is_made_by(entry: &AuditEntry, call: &Call) -> bool {
    let is_by_organiser = matches!(entry.actor, Actor::Admin(_));
    let is_by_the_right_one = match call {
        Call::Register(user) | Call::Withdraw(user) => entry.actor == Actor::User(user.clone()),
        _ => is_by_organiser,
    };
    let user = match &entry.change {
        Change::Registration { user_id, .. } => Some(user_id),
        Change::Competition(_) => None,
    };
    let is_the_capacity = match call {
        Call::SetCapacity(places) => capacity_of(entry) == Some(&places.to_string()),
        _ => true,
    };
    call.action() == Some(entry.action)
        && call.user() == user
        && is_by_the_right_one
        && is_the_capacity
}

/// What an entry changes the capacity to, if it does.
fn capacity_of(entry: &AuditEntry) -> Option<&String> {
    let Change::Competition(fields) = &entry.change else {
        return None;
    };
    let mut fields = fields.iter();
    let capacity = fields.find(|change| change.field == "capacity");
    capacity.map(|change| &change.after)
}

/// Whether the capacity was this already.
fn is_already(story: &Story, places: u32, at: Revision) -> bool {
    let end = story.log.partition_point(|entry| entry.revision <= at);
    let last = story.log[..end].iter().rev().find_map(capacity_of);
    last == Some(&places.to_string())
}

/// How the answer to a request and its entry in the log differ.
fn contradiction(
    story: &Story,
    operation: &Operation,
    entry: Option<&AuditEntry>,
) -> Option<String> {
    let is_read = operation.call.action().is_none();
    match (&operation.answer, entry) {
        (Answer::Unknown, _) | (Answer::Refused { .. } | Answer::NotApplied, None) => None,
        // Refusals are decided afresh: a try that was lost on its way may arrive behind one.
        (Answer::Refused { revision, .. }, Some(entry))
            if operation.was_lost && Some(entry.revision) > *revision =>
        {
            None
        }
        (Answer::Refused { .. } | Answer::NotApplied, Some(entry)) => Some(format!(
            "was answered {:?}, and was done at revision {}",
            operation.answer, entry.revision
        )),
        (_, None) if is_read => None,
        (Answer::Competition { revision, .. }, None)
            if matches!(operation.call, Call::SetCapacity(places)
                if is_already(story, places, *revision)) =>
        {
            None
        }
        (told, None) => Some(format!(
            "{:?} was answered {told:?}, the log lacks it",
            operation.call
        )),
        (
            Answer::Registration {
                state,
                revision,
                position,
            },
            Some(entry),
        ) => {
            let is_so = matches!(&entry.change, Change::Registration { after, waitlist_position, .. }
                if after == state && waitlist_position == position);
            (!is_so || entry.revision != *revision).then(|| {
                format!(
                    "was answered {:?}, the log says {entry:?}",
                    operation.answer
                )
            })
        }
        (Answer::Competition { revision, .. }, Some(entry)) => {
            let follows = entry.revision.0 + 1..=revision.0;
            let is_so = entry.revision <= *revision
                && follows.map(Revision).all(|revision| {
                    let promotion = story.entry(revision);
                    promotion.is_some_and(|entry| entry.action == Action::Promote)
                });
            (!is_so).then(|| {
                format!(
                    "was answered revision {revision}, the log has it at {}",
                    entry.revision
                )
            })
        }
    }
}
