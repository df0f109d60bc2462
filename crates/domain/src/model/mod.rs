//! The rules as a pure function: the state of a competition after each entry of its log, and the
//! decisions that the rules allow in that state.
//!
//! The server does not use the model: the scripts in Redis decide. The model is written from the
//! rules and not from the scripts. A checker replays a log through it and so finds where the two
//! disagree. The rule numbers are those of the README.

use std::collections::{BTreeMap, HashMap, HashSet};

use thiserror::Error;

use crate::audit::{Action, AuditEntry, Change, FieldChange};
use crate::competition::CompetitionState;
use crate::id::{Revision, UserId};
use crate::registration::{AddOptions, RegistrationState};
use crate::rejection::Rejection;
use crate::timestamp::Timestamp;

/// The state of a competition, built from its log.
#[derive(Debug, Clone)]
pub struct Model {
    state: Option<CompetitionState>,
    limits: RegistrationLimits,
    revision: Revision,
    confirmed: HashSet<UserId>,
    /// The waitlist in its order: by the revision at which a user began to wait.
    waitlist: BTreeMap<Revision, UserId>,
    waiting_since: HashMap<UserId, Revision>,
    /// Users who are neither confirmed nor waiting: withdrawn or removed.
    past: HashMap<UserId, RegistrationState>,
    accepts_earlier_rules: bool,
}

/// The fields of a competition that bound registrations. `None` = no limit.
#[derive(Debug, Clone)]
struct RegistrationLimits {
    starts_at: Timestamp,
    opens_at: Timestamp,
    closes_at: Timestamp,
    capacity: Option<usize>,
    waitlist_capacity: Option<usize>,
}

/// An attempt to enter a competition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// The user registers.
    Register,
    /// An organiser adds the user, also one who was removed.
    Add(AddOptions),
}

/// What an allowed attempt gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// A place in the competition.
    Confirmed,
    /// A place at this position of the waitlist; 1 is next.
    Waitlisted(usize),
}

/// A log entry that the rules do not allow.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("revision {revision}: {problem}")]
pub struct Violation {
    pub revision: Revision,
    pub problem: String,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            state: None,
            limits: RegistrationLimits {
                starts_at: Timestamp::MIN,
                opens_at: Timestamp::MIN,
                closes_at: Timestamp::MIN,
                capacity: None,
                waitlist_capacity: None,
            },
            revision: Revision::default(),
            confirmed: HashSet::new(),
            waitlist: BTreeMap::new(),
            waiting_since: HashMap::new(),
            past: HashMap::new(),
            accepts_earlier_rules: false,
        }
    }
}

impl Model {
    /// Returns a model that also applies what 0.1.0 decided otherwise: after the start an added
    /// user joined the waitlist behind everybody. Logs are kept for good, so this stays.
    #[must_use]
    pub fn of_any_release() -> Self {
        Self {
            accepts_earlier_rules: true,
            ..Self::default()
        }
    }

    /// Returns the revision of the last applied entry.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Returns the state of the competition; `None` = not created, or deleted.
    #[must_use]
    pub fn state(&self) -> Option<CompetitionState> {
        self.state
    }

    #[must_use]
    pub fn confirmed_count(&self) -> usize {
        self.confirmed.len()
    }

    /// Returns the waiting users, the next one first.
    pub fn queue(&self) -> impl Iterator<Item = &UserId> {
        self.waitlist.values()
    }

    #[must_use]
    pub fn waitlisted_count(&self) -> usize {
        self.waitlist.len()
    }

    #[must_use]
    pub fn registration(&self, user: &UserId) -> Option<RegistrationState> {
        if self.confirmed.contains(user) {
            Some(RegistrationState::Confirmed)
        } else if self.waiting_since.contains_key(user) {
            Some(RegistrationState::Waitlisted)
        } else {
            self.past.get(user).copied()
        }
    }

    /// Decides an attempt to enter at this moment. Rules 1, 2, 3, 5, 6 and 8.
    pub fn enter(
        &self,
        user: &UserId,
        at: Timestamp,
        attempt: Attempt,
    ) -> Result<Admission, Rejection> {
        let (by_organiser, options) = match attempt {
            Attempt::Register => (false, AddOptions::default()),
            Attempt::Add(options) => (true, options),
        };
        match self.state {
            Some(CompetitionState::Draft) if by_organiser => {
                return Err(Rejection::CompetitionNotPublished);
            }
            // A user must not learn that a draft exists.
            None | Some(CompetitionState::Draft) => return Err(Rejection::CompetitionNotFound),
            _ if self.is_current(user) => return Err(Rejection::AlreadyRegistered),
            Some(CompetitionState::Cancelled) => return Err(Rejection::CompetitionCancelled),
            Some(CompetitionState::Published) => {}
        }
        if !by_organiser && self.past.get(user) == Some(&RegistrationState::Removed) {
            return Err(Rejection::RemovedByOrganiser);
        }
        let RegistrationLimits {
            opens_at,
            closes_at,
            ..
        } = self.limits;
        if !options.ignore_window && at < opens_at {
            return Err(Rejection::RegistrationNotOpenYet { opens_at });
        }
        if !options.ignore_window && at >= closes_at {
            let closed_at = closes_at;
            return Err(Rejection::RegistrationClosed { closed_at });
        }
        // After the start the waitlist is not promoted, so nobody passes it and nobody joins it.
        let has_waitlist = at < self.limits.starts_at;
        self.admission(options, has_waitlist)
    }

    fn admission(&self, options: AddOptions, has_waitlist: bool) -> Result<Admission, Rejection> {
        let waiting = self.waitlist.len();
        let passes_nobody = waiting == 0 || !has_waitlist;
        let is_free = passes_nobody && below(self.confirmed.len(), self.limits.capacity);
        if options.over_capacity || is_free {
            Ok(Admission::Confirmed)
        } else if has_waitlist && below(waiting, self.limits.waitlist_capacity) {
            Ok(Admission::Waitlisted(waiting + 1))
        } else {
            Err(self.full())
        }
    }

    fn full(&self) -> Rejection {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Rejection::CompetitionFull {
            capacity: self.limits.capacity.map(number),
            confirmed_count: number(self.confirmed.len()),
            waitlisted_count: number(self.waitlist.len()),
        }
    }

    /// Whether the first waiting user is due a free place. Rule 2: no other change may come first.
    #[must_use]
    pub fn owes_a_promotion(&self, at: Timestamp) -> bool {
        self.state == Some(CompetitionState::Published)
            && at < self.limits.starts_at
            && !self.waitlist.is_empty()
            && below(self.confirmed.len(), self.limits.capacity)
    }

    /// Applies the next entry of the log. A violation leaves the model unchanged.
    pub fn apply(&mut self, entry: &AuditEntry) -> Result<(), Violation> {
        let violation = |problem: String| Violation {
            revision: entry.revision,
            problem,
        };
        if entry.revision.get() != self.revision.get() + 1 {
            return Err(violation(format!("follows revision {}", self.revision)));
        }
        if entry.action != Action::Promote && self.owes_a_promotion(entry.at) {
            return Err(violation(
                "comes before the first in the queue got a free place".into(),
            ));
        }
        let applied = match &entry.change {
            Change::Competition(fields) => self.change_competition(entry.action, fields),
            Change::Registration {
                user_id,
                before,
                after,
                waitlist_position,
            } => {
                let was = self.registration(user_id);
                if was == *before {
                    self.change_registration(entry, user_id, *after, *waitlist_position)
                } else {
                    Err(format!("{user_id} was {was:?}, not {before:?}"))
                }
            }
        };
        applied.map_err(violation)?;
        self.revision = entry.revision;
        Ok(())
    }

    fn change_competition(&mut self, action: Action, fields: &[FieldChange]) -> Result<(), String> {
        use CompetitionState::{Cancelled, Draft, Published};
        let state = match (action, self.state) {
            (Action::Create, None) => Some(Draft),
            (Action::Publish, Some(Draft)) => Some(Published),
            (Action::Cancel, Some(Published)) => Some(Cancelled),
            (Action::Delete, Some(Draft)) => None,
            (Action::Update, Some(state)) if state != Cancelled => Some(state),
            (action, state) => {
                return Err(format!("{action:?} of a competition that is {state:?}"));
            }
        };
        let mut limits = self.limits.clone();
        for field in fields {
            limits.set(&field.field, &field.after)?;
        }
        if action == Action::Update && self.shrinks_below_confirmed(limits.capacity) {
            return Err("the new capacity is smaller than the number of confirmed".into());
        }
        self.state = state;
        self.limits = limits;
        Ok(())
    }

    /// Whether this capacity is smaller than the present one, and than the number of confirmed
    /// users. Additions can exceed the capacity, so a larger one may still be below that number.
    #[must_use]
    pub fn shrinks_below_confirmed(&self, capacity: Option<usize>) -> bool {
        capacity.is_some_and(|places| {
            let is_smaller = self.limits.capacity.is_none_or(|present| places < present);
            is_smaller && places < self.confirmed.len()
        })
    }

    fn change_registration(
        &mut self,
        entry: &AuditEntry,
        user: &UserId,
        after: RegistrationState,
        position: Option<u32>,
    ) -> Result<(), String> {
        match entry.action {
            Action::Register => self.admit(entry, Attempt::Register, user, after, position),
            Action::Add => {
                let attempt = Attempt::Add(entry.options);
                self.admit(entry, attempt, user, after, position)
            }
            Action::Promote => self.promote(entry, user, after),
            Action::Withdraw => self.end(user, after, RegistrationState::Withdrawn),
            Action::Remove => self.end(user, after, RegistrationState::Removed),
            action => Err(format!("{action:?} of a registration")),
        }
    }

    fn admit(
        &mut self,
        entry: &AuditEntry,
        attempt: Attempt,
        user: &UserId,
        after: RegistrationState,
        position: Option<u32>,
    ) -> Result<(), String> {
        let mut due = self.enter(user, entry.at, attempt);
        let is_earlier = self.accepts_earlier_rules && after == RegistrationState::Waitlisted;
        if is_earlier && matches!(due, Ok(_) | Err(Rejection::CompetitionFull { .. })) {
            due = self.admission(entry.options, true);
        }
        let given = match (after, position) {
            (RegistrationState::Confirmed, None) => Some(Admission::Confirmed),
            (RegistrationState::Waitlisted, Some(position)) => {
                usize::try_from(position).ok().map(Admission::Waitlisted)
            }
            _ => None,
        };
        if due.as_ref().ok() != given.as_ref() {
            return Err(format!("{user} got {given:?}, due was {due:?}"));
        }
        self.past.remove(user);
        self.set_current(user, after, entry.revision);
        Ok(())
    }

    fn promote(
        &mut self,
        entry: &AuditEntry,
        user: &UserId,
        after: RegistrationState,
    ) -> Result<(), String> {
        let first = self.waitlist.values().next();
        if first != Some(user) || after != RegistrationState::Confirmed {
            let first = first.map_or("nobody", UserId::as_str);
            return Err(format!(
                "{user} was promoted, first in the queue was {first}"
            ));
        }
        if !self.owes_a_promotion(entry.at) {
            return Err(format!("{user} was promoted to a place that was not free"));
        }
        self.drop_current(user);
        self.set_current(user, after, entry.revision);
        Ok(())
    }

    fn end(
        &mut self,
        user: &UserId,
        after: RegistrationState,
        due: RegistrationState,
    ) -> Result<(), String> {
        if !self.is_current(user) || after != due {
            return Err(format!(
                "{user} became {after:?} without a registration to end"
            ));
        }
        self.drop_current(user);
        self.past.insert(user.clone(), after);
        Ok(())
    }

    fn is_current(&self, user: &UserId) -> bool {
        self.confirmed.contains(user) || self.waiting_since.contains_key(user)
    }

    fn set_current(&mut self, user: &UserId, state: RegistrationState, since: Revision) {
        if state == RegistrationState::Confirmed {
            self.confirmed.insert(user.clone());
        } else {
            self.waitlist.insert(since, user.clone());
            self.waiting_since.insert(user.clone(), since);
        }
    }

    fn drop_current(&mut self, user: &UserId) {
        self.confirmed.remove(user);
        if let Some(since) = self.waiting_since.remove(user) {
            self.waitlist.remove(&since);
        }
    }
}

impl RegistrationLimits {
    /// Sets a field from the log. Ignores the fields that bound nothing.
    fn set(&mut self, field: &str, value: &str) -> Result<(), String> {
        let moment = || -> Result<Timestamp, String> {
            let millis = value.parse().map_err(|_| format!("{field} is {value}"))?;
            Timestamp::from_millis(millis).map_err(|error| format!("{field} {error}"))
        };
        let limit = || -> Result<Option<usize>, String> {
            if value.is_empty() {
                return Ok(None);
            }
            value
                .parse()
                .map(Some)
                .map_err(|_| format!("{field} is {value}"))
        };
        match field {
            "starts_at" => self.starts_at = moment()?,
            "registration_opens_at" => self.opens_at = moment()?,
            "registration_closes_at" => self.closes_at = moment()?,
            "capacity" => self.capacity = limit()?,
            "waitlist_capacity" => self.waitlist_capacity = limit()?,
            _ => {}
        }
        Ok(())
    }
}

fn below(count: usize, limit: Option<usize>) -> bool {
    limit.is_none_or(|limit| count < limit)
}

#[cfg(test)]
mod tests;
