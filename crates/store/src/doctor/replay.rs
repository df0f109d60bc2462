//! A log, replayed: through the rules as far as they allow it, and for each user and each field to the last
//! word that it has on them.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use domain::model::Model;
use domain::{Action, Change, RegistrationState, Revision, UserId};

use crate::records::Fields;
use crate::records::log_entry;
use crate::records::seal::Seal;

/// A log as far as it was replayed.
pub(super) struct Replay {
    /// The last entry that was taken, or missed.
    at: u64,
    /// `None` = something is wrong with the log: nothing that follows can be judged by the rules.
    model: Option<Model>,
    /// What the log says last of each user.
    pub(super) last: HashMap<UserId, Last>,
    /// Who has an entry since [`Replay::look_on`]; `None` = it was not called.
    moved: Option<HashSet<UserId>>,
    /// What the log says of the competition itself, by the names of the fields; empty = there is none.
    pub(super) fields: HashMap<String, String>,
    /// The last change of the competition itself.
    pub(super) changed_at: Revision,
    /// Revisions of which no entry can be read.
    gaps: Vec<RangeInclusive<u64>>,
    /// `None` = an entry cannot be read, and so has no hash.
    chain: Option<Seal>,
    /// What was sealed, as long as the replay has not come to it.
    sealed: Option<Seal>,
}

/// What the log says last of a user, and where that was found beside the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    pub(super) state: RegistrationState,
    pub(super) revision: Revision,
    /// Whether there is such a record.
    pub(super) is_recorded: bool,
    /// Whether the queue holds them.
    pub(super) is_queued: bool,
}

impl Replay {
    pub(super) fn new(sealed: Option<Seal>) -> Self {
        Self {
            at: 0,
            model: Some(Model::default()),
            last: HashMap::new(),
            moved: None,
            fields: HashMap::new(),
            changed_at: Revision::new(0),
            gaps: Vec::new(),
            chain: Some(Seal::EMPTY),
            sealed: sealed.filter(|seal| *seal != Seal::EMPTY),
        }
    }

    pub(super) fn at(&self) -> Revision {
        Revision::new(self.at)
    }

    /// From now on it is remembered who has an entry.
    pub(super) fn look_on(&mut self) {
        self.moved = Some(HashSet::new());
    }

    /// Whether what is recorded of a user can be compared: nothing happened to them since
    /// [`Replay::look_on`].
    pub(super) fn is_settled(&self, user: &UserId) -> bool {
        self.moved
            .as_ref()
            .is_none_or(|moved| !moved.contains(user))
    }

    /// Whether the log has lost what it said at this revision. That is said once, for all whom it is about.
    pub(super) fn is_lost(&self, revision: Revision) -> bool {
        self.gaps.iter().any(|gap| gap.contains(&revision.get()))
    }

    /// Whether every entry could be read.
    pub(super) fn is_whole(&self) -> bool {
        self.gaps.is_empty()
    }

    /// The seal that was made of the log and is not to be found in it.
    pub(super) fn broken_seal(&self) -> Option<Seal> {
        self.sealed
    }

    /// Takes the next entry, `None` = its fields cannot be read. Answers what is wrong with it.
    pub(super) fn take(&mut self, revision: Revision, fields: Option<Vec<String>>) -> Vec<String> {
        let mut problems = Vec::new();
        problems.extend(self.miss_to(revision.get().saturating_sub(1)));
        self.at = revision.get();
        let Some(fields) = fields else {
            self.chain = None;
            problems.push(self.unreadable(revision, "its fields"));
            return problems;
        };
        self.chain = self.chain.map(|chain| chain.with_entry(revision, &fields));
        if self.sealed.is_some() && self.sealed == self.chain {
            self.sealed = None;
        }
        let entry = match log_entry::parse(&format!("{revision}-0"), Fields::from_pairs(fields)) {
            Ok(entry) => entry,
            Err(error) => {
                problems.push(self.unreadable(revision, &error.to_string()));
                return problems;
            }
        };
        if let Some(model) = &mut self.model
            && let Err(violation) = model.apply(&entry)
        {
            problems.push(format!("the log breaks the rules: {violation}"));
            self.model = None;
        }
        match entry.change {
            Change::Registration { user_id, after, .. } => {
                if let Some(moved) = &mut self.moved {
                    moved.insert(user_id.clone());
                }
                let last = Last {
                    state: after,
                    revision,
                    is_recorded: false,
                    is_queued: false,
                };
                self.last.insert(user_id, last);
            }
            Change::Competition(changes) => {
                self.changed_at = revision;
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
        problems
    }

    /// Notes that the log has no entry up to this revision, and says so.
    pub(super) fn miss_to(&mut self, last: u64) -> Option<String> {
        let first = self.at.saturating_add(1);
        if first > last {
            return None;
        }
        self.model = None;
        self.chain = None;
        self.gaps.push(first..=last);
        self.at = last;
        Some(if first == last {
            format!("the log lacks revision {first}")
        } else {
            format!("the log lacks revisions {first} to {last}")
        })
    }

    fn unreadable(&mut self, revision: Revision, what: &str) -> String {
        self.model = None;
        self.gaps.push(revision.get()..=revision.get());
        format!("the log entry {revision} cannot be read: {what}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(user: &str, action: &str, after: &str) -> Vec<String> {
        let fields = [
            ("at", "1"),
            ("actor", "user"),
            ("action", action),
            ("user", user),
            ("before", ""),
            ("after", after),
            ("request", ""),
            ("note", ""),
        ];
        let flat = fields.iter().flat_map(|(name, value)| [*name, *value]);
        flat.map(str::to_owned).collect()
    }

    #[test]
    fn what_is_lost_is_said_once_and_explains_what_it_said() {
        let mut replay = Replay::new(None);
        let said = replay.take(
            Revision::new(4),
            Some(entry("ada", "register", "confirmed")),
        );
        assert_eq!(said, ["the log lacks revisions 1 to 3"]);
        assert!(replay.is_lost(Revision::new(2)) && !replay.is_lost(Revision::new(4)));
        let ada = UserId::parse("ada").expect("an id");
        assert_eq!(replay.last[&ada].revision, Revision::new(4));
        let said = replay.take(Revision::new(5), None);
        assert_eq!(said, ["the log entry 5 cannot be read: its fields"]);
        assert!(replay.is_lost(Revision::new(5)));
    }

    #[test]
    fn a_seal_that_the_log_does_not_come_to_is_broken() {
        let fields = entry("ada", "register", "confirmed");
        let sealed = Seal::EMPTY.with_entry(Revision::new(1), &fields);
        let mut replay = Replay::new(Some(sealed));
        replay.take(Revision::new(1), Some(fields));
        assert_eq!(replay.broken_seal(), None);

        let mut replay = Replay::new(Some(sealed));
        replay.take(
            Revision::new(1),
            Some(entry("ben", "register", "confirmed")),
        );
        assert_eq!(replay.broken_seal(), Some(sealed));
    }

    #[test]
    fn who_moves_while_one_looks_on_is_not_settled() {
        let mut replay = Replay::new(None);
        replay.take(
            Revision::new(1),
            Some(entry("ada", "register", "confirmed")),
        );
        replay.look_on();
        replay.take(
            Revision::new(2),
            Some(entry("ben", "register", "confirmed")),
        );
        let id = |user: &str| UserId::parse(user).expect("an id");
        assert!(replay.is_settled(&id("ada")) && !replay.is_settled(&id("ben")));
    }
}
