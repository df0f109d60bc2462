//! Compares requests with the log: each request is there at most once, and as its client observed
//! it.

use std::collections::HashMap;

use domain::{Action, Actor, AddOptions, AuditEntry, Change, RequestId, Revision};

use super::{CompetitionHistory, decision_window};
use crate::history::{Call, Observation, Operation};

pub(super) fn check(history: &CompetitionHistory) -> Vec<String> {
    let mut problems = Vec::new();
    let mut entries = HashMap::<RequestId, &AuditEntry>::new();
    for entry in history.log {
        let Some(request) = entry.request_id else {
            if entry.action != Action::Promote || entry.actor != Actor::Rules {
                problems.push(format!("an entry without a request: {entry:?}"));
            }
            continue;
        };
        if let Some(first) = entries.insert(request, entry) {
            problems.push(format!(
                "request {request} was decided twice, at revisions {} and {}",
                first.revision, entry.revision
            ));
        }
        match history.cause(entry) {
            Some(operation) if is_entry_of(history, operation, entry) => {}
            Some(operation) => problems.push(format!(
                "request {request} was {:?} by {:?} at {}, but the log has {entry:?}",
                operation.call, operation.by, operation.started_at
            )),
            None => problems.push(format!("no client sent request {request}: {entry:?}")),
        }
    }
    let fields = FieldValues::new(history);
    for operation in &history.operations {
        let contradiction = match entries.get(&operation.request) {
            None => missing_entry(&fields, operation),
            Some(entry) => wrong_entry(history, &fields, operation, entry),
        };
        problems.extend(contradiction.map(|it| format!("request {}: {it}", operation.request)));
    }
    problems
}

/// Whether this is the entry that the operation leaves in the log.
fn is_entry_of(history: &CompetitionHistory, operation: &Operation, entry: &AuditEntry) -> bool {
    let call = &operation.call;
    let (user, fields) = match &entry.change {
        Change::Registration { user_id, .. } => (Some(user_id), &[][..]),
        Change::Competition(fields) => (None, &fields[..]),
    };
    let changes: Vec<_> = fields
        .iter()
        .map(|change| (change.field.as_str(), change.after.as_str()))
        .collect();
    let has_right_fields = match call {
        Call::Set(field, value) => changes == [(*field, value.as_str())],
        Call::Publish => changes == [("state", "published")],
        Call::Cancel => changes == [("state", "cancelled")],
        _ => true,
    };
    let options = match call {
        Call::Add { options, .. } => *options,
        _ => AddOptions::default(),
    };
    let reason = entry.reason.as_str();
    let is_erased = || reason.is_empty() && user.is_some_and(|user| history.may_be_erased(user));
    call.action() == Some(entry.action)
        && call.user() == user
        && entry.actor == operation.by
        && (reason == call.reason(operation.request) || is_erased())
        && entry.options == options
        && has_right_fields
        && is_in_time(operation, entry)
}

fn is_in_time(operation: &Operation, entry: &AuditEntry) -> bool {
    // A lost attempt may be applied at any later time, also after a later attempt of `Set` found
    // nothing to change.
    let has_ended = match &operation.observed {
        Observation::Registration(_) | Observation::Done => true,
        Observation::Competition(_) => {
            !(operation.was_lost && matches!(operation.call, Call::Set(..)))
        }
        _ => false,
    };
    let (earliest, latest) = decision_window(operation);
    entry.at >= earliest && (!has_ended || entry.at <= latest)
}

/// The values of each field with the revisions at which they were set.
struct FieldValues<'a>(HashMap<&'a str, Vec<(Revision, &'a str)>>);

impl<'a> FieldValues<'a> {
    fn new(history: &CompetitionHistory<'a>) -> Self {
        let mut fields = HashMap::<_, Vec<_>>::new();
        for entry in history.log {
            if let Change::Competition(changes) = &entry.change {
                for change in changes {
                    let values = fields.entry(change.field.as_str()).or_default();
                    values.push((entry.revision, change.after.as_str()));
                }
            }
        }
        Self(fields)
    }

    fn at(&self, field: &str, revision: Revision) -> &str {
        let values = self.0.get(field).map_or(&[][..], Vec::as_slice);
        let next = values.partition_point(|(since, _)| *since <= revision);
        next.checked_sub(1).map_or("", |last| values[last].1)
    }

    /// Whether the operation sets a field to the value that it has at the observed revision.
    fn are_unchanged_by(&self, operation: &Operation) -> bool {
        let revision = operation.revision().unwrap_or_default();
        matches!(&operation.call, Call::Set(field, value) if self.at(field, revision) == value)
    }
}

/// The contradiction if the log has no entry for the operation.
fn missing_entry(fields: &FieldValues, operation: &Operation) -> Option<String> {
    let needs_entry = match &operation.observed {
        _ if operation.call.action().is_none() => false,
        Observation::Unknown | Observation::NotApplied | Observation::Refused { .. } => false,
        Observation::Competition(_) => !fields.are_unchanged_by(operation),
        // A user without a registration in a competition that is not over leaves no entry.
        Observation::Done => !matches!(operation.call, Call::Erase(_)),
        _ => true,
    };
    needs_entry.then(|| {
        format!(
            "{:?} returned {:?}, but is not in the log",
            operation.call, operation.observed
        )
    })
}

/// The contradiction between an operation and its log entry.
fn wrong_entry(
    history: &CompetitionHistory,
    fields: &FieldValues,
    operation: &Operation,
    entry: &AuditEntry,
) -> Option<String> {
    // A refusal, or an update that changes nothing, is not remembered: a lost attempt may be
    // applied after a later attempt had such a response.
    let is_lost_attempt = operation.was_lost && Some(entry.revision) > operation.revision();
    let agrees = match &operation.observed {
        Observation::Unknown => true,
        Observation::Refused { .. } => is_lost_attempt,
        _ if operation.call.action().is_none() => false,
        Observation::Registration(seen) => {
            let position = seen.registration.waitlist_position;
            let position = position.and_then(|position| u32::try_from(position).ok());
            entry.revision == seen.revision()
                && matches!(&entry.change, Change::Registration { after, waitlist_position, .. }
                    if seen.is_in(*after) && *waitlist_position == position)
        }
        Observation::Competition(_) if is_lost_attempt && fields.are_unchanged_by(operation) => {
            true
        }
        Observation::Competition(_) => {
            has_only_promotions_since(history, entry, operation.revision().unwrap_or_default())
        }
        Observation::Done => true,
        _ => false,
    };
    (!agrees).then(|| {
        format!(
            "{:?} returned {:?}, but the log has {entry:?}",
            operation.call, operation.observed
        )
    })
}

/// Whether all entries after this one, up to a revision, are promotions. The response to an update
/// is sent after its promotions.
fn has_only_promotions_since(
    history: &CompetitionHistory,
    entry: &AuditEntry,
    revision: Revision,
) -> bool {
    let mut following = entry.revision.get() + 1..=revision.get();
    entry.revision <= revision
        && following.all(|revision| {
            let following = history.entry(Revision::new(revision));
            following.is_some_and(|entry| entry.action == Action::Promote)
        })
}
