//! What the services must say of a competition and of each registration at a revision: made from the log
//! alone, field by field, so that no wrong value is passed by.

use std::collections::{BTreeMap, HashMap};

use api::v1;
use domain::model::Model;
use domain::{
    Action, Actor, AdminId, AuditEntry, Change, CompetitionId, Etag, FieldChange,
    RegistrationState, Revision, Timestamp, UserId,
};

use crate::history::Held;

/// A competition and its registrations as the log makes them, beside what the rules decide.
pub(super) struct Standing<'a> {
    competition: &'a CompetitionId,
    /// What an organiser said, and the state, as the log writes them.
    fields: BTreeMap<&'a str, &'a str>,
    created_at: Timestamp,
    updated_at: Timestamp,
    changed_at: Revision,
    records: HashMap<&'a UserId, Record<'a>>,
    /// How many promotions came since something else happened.
    promotions: u64,
}

struct Record<'a> {
    created_at: Timestamp,
    /// The last change.
    last: &'a AuditEntry,
    state: RegistrationState,
    added_by: Option<&'a AdminId>,
}

impl<'a> Standing<'a> {
    pub(super) fn new(competition: &'a CompetitionId) -> Self {
        Self {
            competition,
            fields: BTreeMap::new(),
            created_at: Timestamp::MIN,
            updated_at: Timestamp::MIN,
            changed_at: Revision::new(0),
            records: HashMap::new(),
            promotions: 0,
        }
    }

    /// Takes the next entry, if what it says of the time before is true.
    pub(super) fn take(&mut self, entry: &'a AuditEntry) -> Result<(), String> {
        self.promotions = match entry.action {
            Action::Promote => self.promotions + 1,
            _ => 0,
        };
        match &entry.change {
            Change::Competition(changes) => self.change(entry, changes),
            Change::Registration { user_id, after, .. } => {
                let record = self.records.entry(user_id).or_insert(Record {
                    created_at: entry.at,
                    last: entry,
                    state: *after,
                    added_by: None,
                });
                record.last = entry;
                record.state = *after;
                match (&entry.actor, entry.action) {
                    (Actor::Admin(admin), Action::Add) => record.added_by = Some(admin),
                    (_, Action::Register) => record.added_by = None,
                    _ => {}
                }
                Ok(())
            }
        }
    }

    fn change(&mut self, entry: &'a AuditEntry, changes: &'a [FieldChange]) -> Result<(), String> {
        for FieldChange { field, before, .. } in changes {
            if self.field(field) != before {
                return Err(format!(
                    "revision {}: {field} was {:?} before, the log says {before:?}",
                    entry.revision,
                    self.field(field)
                ));
            }
        }
        if entry.action == Action::Create {
            self.created_at = entry.at;
            self.fields.insert("state", "draft");
        }
        let after = changes
            .iter()
            .map(|change| (change.field.as_str(), change.after.as_str()));
        self.fields.extend(after);
        if entry.action == Action::Delete {
            self.fields.clear();
        }
        self.updated_at = entry.at;
        self.changed_at = entry.revision;
        Ok(())
    }

    /// A field as the log writes it; empty = nothing, or no limit.
    pub(super) fn field(&self, name: &str) -> &'a str {
        self.fields.get(name).copied().unwrap_or_default()
    }

    /// One of the four moments.
    pub(super) fn moment(&self, name: &str) -> Timestamp {
        let millis = self.field(name).parse().ok();
        let moment = millis.and_then(|millis| Timestamp::from_millis(millis).ok());
        moment.unwrap_or(Timestamp::MIN)
    }

    /// Whether the promotions that a larger capacity asks for may be unfinished here: 100 are made in one
    /// step, the others in the next ones.
    pub(super) fn is_between_promotions(&self) -> bool {
        const PROMOTIONS_A_STEP: u64 = 100;
        self.promotions > 0 && self.promotions.is_multiple_of(PROMOTIONS_A_STEP)
    }

    /// What has to be said of a user's registration. The place in the queue is left out: it changes while
    /// the registration does not.
    pub(super) fn registration(&self, user: &UserId) -> Option<Held> {
        let record = self.records.get(user)?;
        let is_removed = record.state == RegistrationState::Removed;
        Some(Held {
            registration: v1::Registration {
                competition_id: self.competition.to_string(),
                user_id: user.to_string(),
                state: v1::RegistrationState::from(record.state).into(),
                revision: number(record.last.revision),
                waitlist_position: None,
                removal_reason: if is_removed {
                    record.last.reason.as_str().to_owned()
                } else {
                    String::new()
                },
                created_at: Some(protobuf(record.created_at)),
                updated_at: Some(protobuf(record.last.at)),
            },
            added_by: Some(record.added_by.map(AdminId::to_string).unwrap_or_default()),
        })
    }

    /// When a user first registered.
    pub(super) fn created_at(&self, user: &UserId) -> Option<Timestamp> {
        self.records.get(user).map(|record| record.created_at)
    }

    /// What has to be said of the competition.
    pub(super) fn competition(&self, model: &Model) -> v1::Competition {
        let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let moment = |name| Some(protobuf(self.moment(name)));
        v1::Competition {
            competition_id: self.competition.to_string(),
            title: self.field("title").to_owned(),
            description: self.field("description").to_owned(),
            venue: self.field("venue").to_owned(),
            country_code: self.field("country_code").to_owned(),
            starts_at: moment("starts_at"),
            ends_at: moment("ends_at"),
            registration_opens_at: moment("registration_opens_at"),
            registration_closes_at: moment("registration_closes_at"),
            capacity: self.field("capacity").parse().ok(),
            waitlist_capacity: self.field("waitlist_capacity").parse().ok(),
            state: model
                .state()
                .map_or(0, |state| v1::CompetitionState::from(state).into()),
            confirmed_count: count(model.confirmed_count()),
            waitlisted_count: count(model.waitlisted_count()),
            revision: number(model.revision()),
            created_at: Some(protobuf(self.created_at)),
            updated_at: Some(protobuf(self.updated_at)),
            etag: Etag::of_version(self.changed_at.get()).as_str().to_owned(),
        }
    }
}

fn number(revision: Revision) -> i64 {
    i64::try_from(revision.get()).unwrap_or(i64::MAX)
}

/// A moment in the contract.
pub(super) fn protobuf(moment: Timestamp) -> prost_types::Timestamp {
    let millis = moment.as_millis();
    prost_types::Timestamp {
        seconds: millis / 1000,
        nanos: i32::try_from(millis % 1000 * 1_000_000).unwrap_or_default(),
    }
}
