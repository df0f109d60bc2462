//! Requests and the log: each at most once, and as it was told.

use std::collections::HashMap;

use domain::{Action, Actor, AddOptions, AuditEntry, Change, RequestId, Revision};

use super::{Story, moments};
use crate::history::{Answer, Call, Operation};

pub(super) fn check(story: &Story) -> Vec<String> {
    let mut problems = Vec::new();
    let mut entries = HashMap::<RequestId, &AuditEntry>::new();
    for entry in story.log {
        let Some(request) = entry.request_id else {
            if entry.action != Action::Promote || entry.actor != Actor::Rules {
                problems.push(format!("nobody asked for this: {entry:?}"));
            }
            continue;
        };
        if let Some(first) = entries.insert(request, entry) {
            problems.push(format!(
                "request {request} was decided twice, at revisions {} and {}",
                first.revision, entry.revision
            ));
        }
        match story.asked(entry) {
            Some(operation) if is_made_by(entry, operation) => {}
            Some(operation) => problems.push(format!(
                "request {request} asked for {:?} by {:?} at {}, the log says {entry:?}",
                operation.call, operation.by, operation.asked_at
            )),
            None => problems.push(format!("nobody sent request {request}: {entry:?}")),
        }
    }
    let fields = FieldChanges::of(story);
    for operation in &story.operations {
        let entry = entries.get(&operation.request).copied();
        if let Some(problem) = contradiction(story, &fields, operation, entry) {
            problems.push(format!("request {}: {problem}", operation.request));
        }
    }
    problems
}

/// Whether an entry is what this operation leaves in the log.
fn is_made_by(entry: &AuditEntry, operation: &Operation) -> bool {
    let call = &operation.call;
    let (user, fields) = match &entry.change {
        Change::Registration { user_id, .. } => (Some(user_id), &[][..]),
        Change::Competition(fields) => (None, &fields[..]),
    };
    let changes: Vec<_> = fields
        .iter()
        .map(|change| (change.field.as_str(), change.after.as_str()))
        .collect();
    let are_the_fields = match call {
        Call::Set(field, value) => changes == [(*field, value.as_str())],
        Call::Change(Action::Publish) => changes == [("state", "published")],
        Call::Change(Action::Cancel) => changes == [("state", "cancelled")],
        _ => true,
    };
    let options = match call {
        Call::Add(_, options) => *options,
        _ => AddOptions::default(),
    };
    let (earliest, latest) = moments(operation);
    // What was sent and never answered may be done at any time after; also if a later try found nothing to do.
    let is_over = match &operation.answer {
        Answer::Registration(_) | Answer::Done => true,
        Answer::Competition(_) => !(operation.was_lost && matches!(call, Call::Set(..))),
        _ => false,
    };
    call.action() == Some(entry.action)
        && call.user() == user
        && entry.actor == operation.by
        && entry.options == options
        && entry.reason.as_str() == operation.reason()
        && are_the_fields
        && entry.at >= earliest
        && (!is_over || entry.at <= latest)
}

/// What was set to what, and when.
struct FieldChanges<'a>(HashMap<&'a str, Vec<(Revision, &'a str)>>);

impl<'a> FieldChanges<'a> {
    fn of(story: &Story<'a>) -> Self {
        let mut fields = HashMap::<_, Vec<_>>::new();
        for entry in story.log {
            if let Change::Competition(changes) = &entry.change {
                for change in changes {
                    let values = fields.entry(change.field.as_str()).or_default();
                    values.push((entry.revision, change.after.as_str()));
                }
            }
        }
        Self(fields)
    }

    /// Whether a field has this value at this revision.
    fn is(&self, field: &str, value: &str, at: Revision) -> bool {
        let values = self.0.get(field).map_or(&[][..], Vec::as_slice);
        let next = values.partition_point(|(revision, _)| *revision <= at);
        let last = next.checked_sub(1).map(|last| values[last].1);
        last.unwrap_or_default() == value
    }
}

/// Whether a field was already what an operation sets it to, at the revision that it was told.
fn is_already(fields: &FieldChanges, operation: &Operation) -> bool {
    let told = operation.revision().unwrap_or_default();
    matches!(&operation.call, Call::Set(field, value) if fields.is(field, value, told))
}

/// How the answer to a request and its entry in the log differ.
fn contradiction(
    story: &Story,
    fields: &FieldChanges,
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
        (_, Some(entry)) if is_read => Some(format!("a reading is in the log: {entry:?}")),
        (Answer::Competition(_), None) if is_already(fields, operation) => None,
        // Who was in no competition, or only in some that are over, leaves no entry.
        (Answer::Done, None) if matches!(operation.call, Call::Erase(_)) => None,
        (told, None) => Some(format!(
            "{:?} was answered {told:?}, the log lacks it",
            operation.call
        )),
        (Answer::Registration(held), Some(entry)) => {
            let position = held.registration.waitlist_position;
            let position = position.and_then(|position| u32::try_from(position).ok());
            let is_so = matches!(&entry.change, Change::Registration { after, waitlist_position, .. }
                if held.registration.state() == api::v1::RegistrationState::from(*after)
                    && *waitlist_position == position);
            (!is_so || entry.revision != held.revision()).then(|| {
                format!(
                    "was answered {:?}, the log says {entry:?}",
                    operation.answer
                )
            })
        }
        // A try that found nothing to change leaves nothing, so one that was lost may arrive behind it.
        (Answer::Competition(_), Some(entry))
            if operation.was_lost
                && Some(entry.revision) > operation.revision()
                && is_already(fields, operation) =>
        {
            None
        }
        (Answer::Competition(_), Some(entry)) => {
            let told = operation.revision().unwrap_or_default();
            let follows = entry.revision.get() + 1..=told.get();
            let is_so = entry.revision <= told
                && follows.map(Revision::new).all(|revision| {
                    let promotion = story.entry(revision);
                    promotion.is_some_and(|entry| entry.action == Action::Promote)
                });
            (!is_so).then(|| {
                format!(
                    "was answered revision {told}, the log has it at {}",
                    entry.revision
                )
            })
        }
        (Answer::Done, Some(_)) => None,
        (told, Some(entry)) => Some(format!("was answered {told:?}, the log says {entry:?}")),
    }
}
