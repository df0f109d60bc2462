//! The log of a competition, as it is read.

use std::collections::BTreeMap;

use deadpool_redis::redis::cmd;
use domain::{
    Action, Actor, AddOptions, AdminId, AuditEntry, Change, CompetitionId, FieldChange, Reason,
    RegistrationState, RequestId, Revision, UserId,
};

use crate::competitions::competition_not_found;
use crate::error::Result;
use crate::legacy::unreadable;
use crate::page::{Cursor, Listed, Page, PageRequest};
use crate::records::Fields;
use crate::redis::decode;
use crate::{Store, keys};

impl Store {
    /// Lists the log of a competition, the oldest entry first. Also of a draft that was deleted.
    pub async fn audit_entries(
        &self,
        competition: &CompetitionId,
        page: &PageRequest,
    ) -> Result<Page<AuditEntry>> {
        let mut range = cmd("XRANGE");
        range
            .arg(keys::Competition::of(competition).log())
            .arg(page.after_revision() + 1)
            .arg("+")
            .arg("COUNT")
            .arg(page.size);
        let entries: Vec<(String, Vec<String>)> = decode(self.redis.command(range).await?)?;
        if entries.is_empty() && page.after.is_none() {
            return Err(competition_not_found(competition).into());
        }
        let is_full = entries.len() == page.size;
        let items = entries
            .into_iter()
            .map(|(id, fields)| read_entry(&id, Fields::from_pairs(fields)))
            .collect::<Result<Vec<_>>>()?;
        let last = items.last().filter(|_| is_full);
        let next = last.map(Listed::cursor);
        Ok(Page { items, next })
    }
}

impl Listed for AuditEntry {
    fn cursor(&self) -> Cursor {
        Cursor::of_revision(self.revision)
    }
}

impl PageRequest {
    /// The revision after which the page begins. A cursor is a client's word: no log has more entries
    /// than numbers that Lua tells apart.
    pub(crate) fn after_revision(&self) -> u64 {
        const MOST: u64 = 1 << 53;
        self.after_text().parse().unwrap_or(0).min(MOST)
    }
}

/// Reads an entry of a log from its id and its fields.
pub(crate) fn read_entry(id: &str, mut fields: Fields) -> Result<AuditEntry> {
    let revision = id
        .split_once('-')
        .and_then(|(revision, _)| revision.parse().ok());
    let revision = revision.ok_or_else(|| unreadable("the id of a log entry"))?;
    let action = fields.text("action");
    let action = Action::ALL
        .into_iter()
        .find(|known| known.as_str() == action)
        .ok_or_else(|| unreadable("the action of a log entry"))?;
    let user_id = fields.optional::<UserId>("user")?;
    let actor = read_actor(&fields.text("actor"), user_id.as_ref())?;
    let (before, after) = (fields.text("before"), fields.text("after"));
    let change = match user_id {
        Some(user_id) => read_registration_change(user_id, &before, &after)?,
        None => Change::Competition(read_field_changes(&before, &after)?),
    };
    let request = fields.text("request");
    let request_id = (!request.is_empty()).then(|| RequestId::parse(&request));
    let note = fields.text("note");
    let (options, reason) = match action {
        Action::Add => (read_options(&note)?, ""),
        _ => (AddOptions::default(), note.as_str()),
    };
    Ok(AuditEntry {
        revision: Revision::new(revision),
        at: fields.timestamp("at")?,
        actor,
        action,
        change,
        request_id: request_id
            .transpose()
            .map_err(|_| unreadable("a request id"))?,
        options,
        reason: Reason::parse(reason).map_err(|_| unreadable("a reason"))?,
    })
}

/// Reads the note of an addition: the names of its options, each followed by a blank.
fn read_options(note: &str) -> Result<AddOptions> {
    let mut options = AddOptions::default();
    for word in note.split_terminator(' ') {
        match word {
            "ignore_window" => options.ignore_window = true,
            "over_capacity" => options.over_capacity = true,
            _ => return Err(unreadable("the options of an addition")),
        }
    }
    Ok(options)
}

fn read_actor(actor: &str, user: Option<&UserId>) -> Result<Actor> {
    match (actor, actor.strip_prefix("admin:"), user) {
        ("rules", ..) => Ok(Actor::Rules),
        ("user", _, Some(user)) => Ok(Actor::User(user.clone())),
        (_, Some(admin), _) => AdminId::parse(admin)
            .map(Actor::Admin)
            .map_err(|_| unreadable("an admin id")),
        _ => Err(unreadable("the actor of a log entry")),
    }
}

fn read_registration_change(user_id: UserId, before: &str, after: &str) -> Result<Change> {
    let (after, position) = after.split_once(' ').unwrap_or((after, ""));
    let position = (!position.is_empty()).then(|| position.parse());
    Ok(Change::Registration {
        user_id,
        before: if before.is_empty() {
            None
        } else {
            Some(read_state(before)?)
        },
        after: read_state(after)?,
        waitlist_position: position.transpose().map_err(|_| unreadable("a position"))?,
    })
}

/// Reads the word of a state.
pub(crate) fn read_state(word: &str) -> Result<RegistrationState> {
    use RegistrationState::{Confirmed, Removed, Waitlisted, Withdrawn};
    [Confirmed, Waitlisted, Withdrawn, Removed]
        .into_iter()
        .find(|state| state.as_str() == word)
        .ok_or_else(|| unreadable(&format!("the state {word}")))
}

fn read_field_changes(before: &str, after: &str) -> Result<Vec<FieldChange>> {
    let read = |json: &str| -> Result<BTreeMap<String, String>> {
        if json.is_empty() {
            return Ok(BTreeMap::new());
        }
        serde_json::from_str(json).map_err(|_| unreadable("a change in the log"))
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
