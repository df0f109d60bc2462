//! Real time: whoever began after another had ended was decided after it.

use std::collections::HashMap;

use domain::{Change, Revision, UserId};

use super::Story;
use crate::history::{Answer, Call, Operation};

pub(super) fn check(story: &Story) -> Vec<String> {
    let mut by_start = story.operations.clone();
    by_start.sort_by_key(|operation| operation.started);
    let mut by_end = story.operations.clone();
    by_end.sort_by_key(|operation| operation.ended);
    let mut ended = by_end.into_iter().peekable();
    let changes = changes_by_user(story);

    let mut problems = Vec::new();
    // The highest revision that somebody had been told before this operation began.
    let mut known = Revision(0);
    for operation in by_start {
        while let Some(before) = ended.next_if(|before| before.ended < operation.started) {
            known = known.max(before.answer.revision().unwrap_or_default());
        }
        if is_stale(operation, known, &changes) {
            problems.push(format!(
                "{:?} was answered {:?}, though revision {known} had been told before it began",
                operation.call, operation.answer
            ));
        }
    }
    problems
}

fn is_stale(
    operation: &Operation,
    known: Revision,
    changes: &HashMap<&UserId, Vec<Revision>>,
) -> bool {
    match (&operation.call, &operation.answer) {
        // It names the revision of the registration, not that of the reading.
        (Call::ReadRegistration(user), Answer::Registration { revision, .. }) => {
            let changes = changes.get(user).map_or(&[][..], Vec::as_slice);
            let next = changes.partition_point(|change| change <= revision);
            changes.get(next).is_some_and(|missed| *missed <= known)
        }
        (call, answer) => answer.revision().is_some_and(|decided| {
            // A capacity that is set to what it is changes nothing.
            let is_change = call.action().is_some()
                && !matches!(call, Call::SetCapacity(_))
                && !matches!(answer, Answer::Refused { .. });
            decided < known || (is_change && decided == known)
        }),
    }
}

/// At which revisions each user's registration changed, in order.
fn changes_by_user<'a>(story: &Story<'a>) -> HashMap<&'a UserId, Vec<Revision>> {
    let mut changes = HashMap::<_, Vec<_>>::new();
    for entry in story.log {
        if let Change::Registration { user_id, .. } = &entry.change {
            changes.entry(user_id).or_default().push(entry.revision);
        }
    }
    changes
}
