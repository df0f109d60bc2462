//! What a read of a competition or of a registration must return at a revision. It is built from
//! the log alone, field by field, so that no wrong value is overlooked.

use std::collections::{BTreeMap, HashMap};

use api::convert::timestamp;
use api::v1;
use domain::model::Model;
use domain::{
    Action, Actor, AdminId, AuditEntry, Change, CompetitionId, Etag, FieldChange,
    RegistrationState, Revision, Timestamp, UserId,
};

use crate::history::{Call, SeenRegistration};

/// A larger capacity promotes at most this many users in one step, and the others in further steps.
const PROMOTIONS_PER_STEP: u64 = 100;

/// A competition and its registrations at a revision of the log.
#[derive(Debug, Clone)]
pub struct ExpectedState {
    competition: CompetitionId,
    model: Model,
    /// The fields that an organiser sets, and the state, as the log writes them.
    fields: BTreeMap<String, String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    changed_at: Revision,
    registrations: HashMap<UserId, ExpectedRegistration>,
    /// The number of promotions since the last other entry.
    promotions: u64,
}

#[derive(Debug, Clone)]
struct ExpectedRegistration {
    created_at: Timestamp,
    updated_at: Timestamp,
    revision: Revision,
    state: RegistrationState,
    removal_reason: String,
    added_by: Option<AdminId>,
}

impl ExpectedState {
    /// The state before the first log entry.
    #[must_use]
    pub fn new(competition: &CompetitionId) -> Self {
        Self {
            competition: competition.clone(),
            model: Model::default(),
            fields: BTreeMap::new(),
            created_at: Timestamp::MIN,
            updated_at: Timestamp::MIN,
            changed_at: Revision::new(0),
            registrations: HashMap::new(),
            promotions: 0,
        }
    }

    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Applies the next log entry. Fails if the rules do not allow it, or if the entry has a wrong
    /// value for a field before the change.
    pub fn apply(&mut self, entry: &AuditEntry) -> Result<(), String> {
        let applied = self.model.apply(entry);
        applied.map_err(|violation| violation.to_string())?;
        self.promotions = match entry.action {
            Action::Promote => self.promotions + 1,
            _ => 0,
        };
        match &entry.change {
            Change::Competition(changes) => self.change_fields(entry, changes)?,
            Change::Registration { user_id, after, .. } => {
                self.change_registration(entry, user_id, *after);
            }
        }
        Ok(())
    }

    fn change_registration(&mut self, entry: &AuditEntry, user: &UserId, after: RegistrationState) {
        let known = self.registrations.get(user);
        let added_by = match (&entry.actor, entry.action) {
            (Actor::Admin(admin), Action::Add) => Some(admin.clone()),
            (_, Action::Register) => None,
            _ => known.and_then(|known| known.added_by.clone()),
        };
        // Not the reason in the log, which may be erased since.
        let removal_reason = match (after, entry.request_id) {
            (RegistrationState::Removed, Some(request)) => {
                Call::Remove(user.clone()).reason(request)
            }
            _ => String::new(),
        };
        let registration = ExpectedRegistration {
            created_at: known.map_or(entry.at, |known| known.created_at),
            updated_at: entry.at,
            revision: entry.revision,
            state: after,
            removal_reason,
            added_by,
        };
        self.registrations.insert(user.clone(), registration);
    }

    fn change_fields(&mut self, entry: &AuditEntry, changes: &[FieldChange]) -> Result<(), String> {
        for FieldChange { field, before, .. } in changes {
            if self.field(field) != before {
                return Err(format!(
                    "revision {}: {field} was {:?}, but the log has {before:?} before the change",
                    entry.revision,
                    self.field(field)
                ));
            }
        }
        if entry.action == Action::Create {
            self.created_at = entry.at;
            self.fields.insert("state".to_owned(), "draft".to_owned());
        }
        for change in changes {
            self.fields
                .insert(change.field.clone(), change.after.clone());
        }
        if entry.action == Action::Delete {
            self.fields.clear();
        }
        self.updated_at = entry.at;
        self.changed_at = entry.revision;
        Ok(())
    }

    /// A field as the log writes it. Empty means absent, or no limit.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// A field that is a moment.
    pub(super) fn moment(&self, name: &str) -> Timestamp {
        let millis = self.field(name).parse().ok();
        let moment = millis.and_then(|millis| Timestamp::from_millis(millis).ok());
        moment.unwrap_or(Timestamp::MIN)
    }

    /// Whether further promotions of a larger capacity may still follow at this revision.
    pub(super) fn is_between_promotions(&self) -> bool {
        self.promotions > 0 && self.promotions.is_multiple_of(PROMOTIONS_PER_STEP)
    }

    /// A user's registration without its waitlist position, which changes while the registration
    /// does not.
    #[must_use]
    pub fn registration(&self, user: &UserId) -> Option<SeenRegistration> {
        let known = self.registrations.get(user)?;
        Some(SeenRegistration {
            registration: v1::Registration {
                competition_id: self.competition.to_string(),
                user_id: user.to_string(),
                state: v1::RegistrationState::from(known.state).into(),
                revision: number(known.revision),
                waitlist_position: None,
                removal_reason: known.removal_reason.clone(),
                created_at: Some(timestamp(known.created_at)),
                updated_at: Some(timestamp(known.updated_at)),
            },
            added_by: Some(
                known
                    .added_by
                    .as_ref()
                    .map(AdminId::to_string)
                    .unwrap_or_default(),
            ),
        })
    }

    /// All registrations without their waitlist positions, in the order of their revisions.
    #[must_use]
    pub fn registrations(&self) -> Vec<SeenRegistration> {
        let users = self.registrations.keys();
        let mut all: Vec<_> = users.filter_map(|user| self.registration(user)).collect();
        all.sort_by_key(SeenRegistration::revision);
        all
    }

    /// The time of a user's first registration.
    pub(super) fn created_at(&self, user: &UserId) -> Option<Timestamp> {
        self.registrations.get(user).map(|known| known.created_at)
    }

    #[must_use]
    pub fn competition(&self) -> v1::Competition {
        let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let moment = |name| Some(timestamp(self.moment(name)));
        let state = self.model.state();
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
            state: state.map_or(0, |state| v1::CompetitionState::from(state).into()),
            confirmed_count: count(self.model.confirmed_count()),
            waitlisted_count: count(self.model.waitlisted_count()),
            revision: number(self.model.revision()),
            created_at: Some(timestamp(self.created_at)),
            updated_at: Some(timestamp(self.updated_at)),
            etag: Etag::of_version(self.changed_at.get()).as_str().to_owned(),
        }
    }
}

fn number(revision: Revision) -> i64 {
    i64::try_from(revision.get()).unwrap_or(i64::MAX)
}
