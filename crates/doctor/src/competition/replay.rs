//! The replay of a log: through the rules as far as they allow it, and to the last entry about each
//! user and each field.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use domain::model::Model;
use domain::{Action, AuditEntry, Change, RegistrationState, Revision, UserId};
use store::Seal;
use store::records::{Fields, log_entry};

/// A log as far as it was replayed.
pub(super) struct Replay {
    revision: u64,
    /// `None` once the log was wrong: the rules cannot judge what follows.
    model: Option<Model>,
    /// The last entry about each user.
    pub(super) users: HashMap<UserId, LastEntry>,
    /// The users with an entry since [`Replay::track_changes`].
    changed_users: HashSet<UserId>,
    tracks_changes: bool,
    /// The fields of the competition by the log; empty if there is no competition.
    pub(super) fields: HashMap<String, String>,
    /// The last change of the competition itself.
    pub(super) changed_at: Revision,
    /// The revisions whose entries are missing or invalid.
    gaps: Vec<RangeInclusive<u64>>,
    /// The hash of the log so far. `None` once an entry could not be read.
    chain: Option<Seal>,
    /// The stored seal, until the replay has arrived at it.
    expected_seal: Option<Seal>,
}

/// The last log entry about a user, and what was found elsewhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastEntry {
    pub(super) state: RegistrationState,
    pub(super) revision: Revision,
    /// Whether the user has a registration record.
    pub(super) is_recorded: bool,
    /// Whether the user is in the waitlist.
    pub(super) is_waiting: bool,
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            revision: 0,
            model: Some(Model::of_any_release()),
            users: HashMap::new(),
            changed_users: HashSet::new(),
            tracks_changes: false,
            fields: HashMap::new(),
            changed_at: Revision::new(0),
            gaps: Vec::new(),
            chain: Some(Seal::EMPTY),
            expected_seal: None,
        }
    }
}

impl Replay {
    /// Sets the seal that the log must arrive at.
    pub(super) fn expect_seal(&mut self, seal: Seal) {
        self.expected_seal = Some(seal).filter(|seal| *seal != Seal::EMPTY);
    }

    /// The revision of the last entry that was replayed or skipped.
    pub(super) fn revision(&self) -> Revision {
        Revision::new(self.revision)
    }

    /// Remembers from now on which users change.
    pub(super) fn track_changes(&mut self) {
        self.tracks_changes = true;
    }

    /// Whether a user changed since [`Replay::track_changes`], so that what was read meanwhile
    /// cannot be compared.
    pub(super) fn has_changed(&self, user: &UserId) -> bool {
        self.changed_users.contains(user)
    }

    /// Whether the entry of this revision is missing or invalid. That is reported once, not for
    /// each user whom the entry was about.
    pub(super) fn is_gap(&self, revision: Revision) -> bool {
        self.gaps.iter().any(|gap| gap.contains(&revision.get()))
    }

    /// Whether no entry was missing or invalid.
    pub(super) fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }

    /// The seal, if the log has not arrived at it.
    pub(super) fn broken_seal(&self) -> Option<Seal> {
        self.expected_seal
    }

    /// Replays the next entry. `fields` is `None` if they cannot be read. Returns the problems.
    pub(super) fn apply(&mut self, revision: Revision, fields: Option<Vec<String>>) -> Vec<String> {
        let mut problems = Vec::new();
        problems.extend(self.skip_to(revision.get().saturating_sub(1)));
        self.revision = revision.get();
        let Some(fields) = fields else {
            self.chain = None;
            problems.push(self.skip_invalid(revision, "its fields cannot be read"));
            return problems;
        };
        self.chain = self.chain.map(|chain| chain.with_entry(revision, &fields));
        if self.expected_seal == self.chain {
            self.expected_seal = None;
        }
        match log_entry::parse(&format!("{revision}-0"), Fields::from_pairs(fields)) {
            Ok(found) => problems.extend(self.apply_entry(found.entry)),
            Err(error) => problems.push(self.skip_invalid(revision, &error.to_string())),
        }
        problems
    }

    fn apply_entry(&mut self, entry: AuditEntry) -> Option<String> {
        let violation = self
            .model
            .as_mut()
            .and_then(|model| model.apply(&entry).err());
        if violation.is_some() {
            self.model = None;
        }
        match entry.change {
            Change::Registration { user_id, after, .. } => {
                if self.tracks_changes {
                    self.changed_users.insert(user_id.clone());
                }
                let last = LastEntry {
                    state: after,
                    revision: entry.revision,
                    is_recorded: false,
                    is_waiting: false,
                };
                self.users.insert(user_id, last);
            }
            Change::Competition(changes) => {
                self.changed_at = entry.revision;
                if matches!(entry.action, Action::Create | Action::Delete) {
                    self.fields.clear();
                }
                if entry.action == Action::Create {
                    self.fields.insert("state".to_owned(), "draft".to_owned());
                }
                if entry.action != Action::Delete {
                    let changes = changes.into_iter();
                    self.fields
                        .extend(changes.map(|change| (change.field, change.after)));
                }
            }
        }
        violation.map(|violation| format!("the log breaks the rules: {violation}"))
    }

    /// Records that the entries up to this revision are missing. Returns the problem, if any is.
    pub(super) fn skip_to(&mut self, last: u64) -> Option<String> {
        let first = self.revision.saturating_add(1);
        if first > last {
            return None;
        }
        self.model = None;
        self.chain = None;
        self.gaps.push(first..=last);
        self.revision = last;
        Some(if first == last {
            format!("log entry {first} is missing")
        } else {
            format!("log entries {first} to {last} are missing")
        })
    }

    fn skip_invalid(&mut self, revision: Revision, why: &str) -> String {
        self.model = None;
        self.gaps.push(revision.get()..=revision.get());
        format!("log entry {revision} is invalid: {why}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(user: &str) -> Vec<String> {
        raw("user", "register", user, "confirmed", "")
    }

    fn raw(actor: &str, action: &str, user: &str, after: &str, note: &str) -> Vec<String> {
        let fields = [
            ("at", "1"),
            ("actor", actor),
            ("action", action),
            ("user", user),
            ("before", ""),
            ("after", after),
            ("request", ""),
            ("note", note),
        ];
        let flat = fields.iter().flat_map(|(name, value)| [*name, *value]);
        flat.map(str::to_owned).collect()
    }

    fn id(user: &str) -> UserId {
        UserId::parse(user).expect("an id")
    }

    #[test]
    fn missing_and_invalid_entries_are_reported_once() {
        let mut replay = Replay::default();
        let problems = replay.apply(Revision::new(4), Some(entry("ada")));
        assert_eq!(problems, ["log entries 1 to 3 are missing"]);
        assert!(replay.is_gap(Revision::new(2)) && !replay.is_gap(Revision::new(4)));
        assert_eq!(replay.users[&id("ada")].revision, Revision::new(4));
        let problems = replay.apply(Revision::new(5), None);
        assert_eq!(
            problems,
            ["log entry 5 is invalid: its fields cannot be read"]
        );
        assert!(replay.is_gap(Revision::new(5)));
    }

    #[test]
    fn a_user_who_was_added_to_the_waitlist_after_the_start_by_0_1_0_is_no_problem() {
        // It started at 1, the time of all entries.
        let fields =
            r#"{"starts_at":"1","registration_opens_at":"0","registration_closes_at":"1"}"#;
        let olga = "admin:olga";
        let entries = [
            raw(olga, "create", "", fields, ""),
            raw(olga, "publish", "", r#"{"state":"published"}"#, ""),
            raw(olga, "update", "", r#"{"capacity":"1"}"#, ""),
            raw(olga, "add", "ada", "confirmed", "ignore_window "),
            raw(olga, "add", "ben", "waitlisted 1", "ignore_window "),
        ];
        let mut replay = Replay::default();
        for (revision, entry) in (1..).zip(entries) {
            let problems = replay.apply(Revision::new(revision), Some(entry));
            assert_eq!(problems, Vec::<String>::new());
        }
    }

    #[test]
    fn a_seal_is_broken_if_the_log_does_not_arrive_at_it() {
        let seal = Seal::EMPTY.with_entry(Revision::new(1), &entry("ada"));
        for (user, broken) in [("ada", None), ("ben", Some(seal))] {
            let mut replay = Replay::default();
            replay.expect_seal(seal);
            replay.apply(Revision::new(1), Some(entry(user)));
            assert_eq!(replay.broken_seal(), broken);
        }
    }

    #[test]
    fn users_are_tracked_who_change_during_the_comparison() {
        let mut replay = Replay::default();
        replay.apply(Revision::new(1), Some(entry("ada")));
        replay.track_changes();
        replay.apply(Revision::new(2), Some(entry("ben")));
        assert!(!replay.has_changed(&id("ada")) && replay.has_changed(&id("ben")));
    }
}
