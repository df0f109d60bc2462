//! An entry of a competition's log, which is a stream. The scripts write it: see `append` in
//! `scripts/prelude_competition.lua`.

use std::collections::BTreeMap;

use domain::{
    Action, Actor, AddOptions, AdminId, AuditEntry, Change, FieldChange, Reason, RequestId,
    Revision, UserId,
};

use super::Fields;
use super::registration::parse_state;
use super::removal_reason::ReasonHash;
use crate::error::{Error, Result};

/// The revision that the id of an entry, `<revision>-0`, names.
pub fn revision_of_entry_id(id: &str) -> Result<Revision> {
    id.split_once('-')
        .and_then(|(revision, _)| revision.parse().ok())
        .map(Revision::new)
        .ok_or_else(|| Error::unreadable("the id of a log entry"))
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The entry without a reason that is stored elsewhere.
    pub entry: AuditEntry,
    /// The hash of the reason of a removal, whose text is in the hash `reasons` of the user.
    pub reason_hash: Option<ReasonHash>,
}

/// Parses an entry from its id and its fields.
pub fn parse(id: &str, mut fields: Fields) -> Result<LogEntry> {
    let revision = revision_of_entry_id(id)?;
    let action = fields.text("action");
    let action = Action::ALL
        .into_iter()
        .find(|known| known.as_str() == action)
        .ok_or_else(|| Error::unreadable("the action of a log entry"))?;
    let user_id = fields.optional::<UserId>("user")?;
    let actor = parse_actor(&fields.text("actor"), user_id.as_ref())?;
    let (before, after) = (fields.text("before"), fields.text("after"));
    let change = match user_id {
        Some(user_id) => parse_registration_change(user_id, &before, &after)?,
        None => Change::Competition(parse_field_changes(&before, &after)?),
    };
    let request = fields.text("request");
    let request_id = (!request.is_empty()).then(|| RequestId::parse(&request));
    let note = fields.text("note");
    let reason_hash = match (action, &change) {
        (Action::Remove, Change::Registration { .. }) => ReasonHash::parse(&note),
        _ => None,
    };
    let (options, reason) = match action {
        Action::Add => (parse_options(&note)?, ""),
        _ if reason_hash.is_some() => (AddOptions::default(), ""),
        _ => (AddOptions::default(), note.as_str()),
    };
    let entry = AuditEntry {
        revision,
        at: fields.timestamp("at")?,
        actor,
        action,
        change,
        request_id: request_id
            .transpose()
            .map_err(|_| Error::unreadable("a request id"))?,
        options,
        reason: Reason::try_from(reason.to_owned()).map_err(|_| Error::unreadable("a reason"))?,
    };
    Ok(LogEntry { entry, reason_hash })
}

/// Parses the note of an addition: the names of its options, each followed by a space.
fn parse_options(note: &str) -> Result<AddOptions> {
    let mut options = AddOptions::default();
    for word in note.split_terminator(' ') {
        match word {
            "ignore_window" => options.ignore_window = true,
            "over_capacity" => options.over_capacity = true,
            _ => return Err(Error::unreadable("the options of an addition")),
        }
    }
    Ok(options)
}

fn parse_actor(actor: &str, user: Option<&UserId>) -> Result<Actor> {
    match (actor, actor.strip_prefix("admin:"), user) {
        ("rules", ..) => Ok(Actor::Rules),
        ("user", _, Some(user)) => Ok(Actor::User(user.clone())),
        (_, Some(admin), _) => AdminId::parse(admin)
            .map(Actor::Admin)
            .map_err(|_| Error::unreadable("an admin id")),
        _ => Err(Error::unreadable("the actor of a log entry")),
    }
}

fn parse_registration_change(user_id: UserId, before: &str, after: &str) -> Result<Change> {
    let (after, position) = after.split_once(' ').unwrap_or((after, ""));
    let position = (!position.is_empty()).then(|| position.parse());
    Ok(Change::Registration {
        user_id,
        before: if before.is_empty() {
            None
        } else {
            Some(parse_state(before)?)
        },
        after: parse_state(after)?,
        waitlist_position: position
            .transpose()
            .map_err(|_| Error::unreadable("a position"))?,
    })
}

fn parse_field_changes(before: &str, after: &str) -> Result<Vec<FieldChange>> {
    let read = |json: &str| -> Result<BTreeMap<String, String>> {
        if json.is_empty() {
            return Ok(BTreeMap::new());
        }
        serde_json::from_str(json).map_err(|_| Error::unreadable("a change in the log"))
    };
    let (mut before, after) = (read(before)?, read(after)?);
    let mut changes: Vec<_> = after
        .into_iter()
        .map(|(field, after)| FieldChange {
            before: before.remove(&field).unwrap_or_default(),
            field,
            after,
        })
        .collect();
    changes.extend(before.into_iter().map(|(field, before)| FieldChange {
        field,
        before,
        after: String::new(),
    }));
    Ok(changes)
}
