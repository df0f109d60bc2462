//! A registration, stored by user id in the hashes `registrations` and `past`. For example
//! `W 12 1700000000000 -`, in this form:
//!
//! ```text
//! <state> <revision> <created_at> <added_by>[ <request id>=<revision>]...
//! ```
//!
//! The scripts write it: see `write_record` in `scripts/prelude_competition.lua`.

use domain::{AdminId, RegistrationState, RequestId, Revision, Timestamp};

use crate::error::{Error, Result};

/// A registration as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRegistration {
    pub state: RegistrationState,
    /// The revision of its last change.
    pub revision: Revision,
    pub created_at: Timestamp,
    /// The admin who added it; `None` if the user registered.
    pub added_by: Option<AdminId>,
    /// The latest requests that changed it, the oldest first, and the revision of each change.
    pub requests: Vec<(RequestId, Revision)>,
}

impl StoredRegistration {
    /// Parses a record as strictly as the scripts do.
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_words(text).ok_or_else(|| Error::unreadable("a registration"))
    }

    fn parse_words(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let state = state_of_letter(words.next()?)?;
        let revision = parse_revision(words.next()?)?;
        let created_at = Timestamp::from_millis(words.next()?.parse().ok()?).ok()?;
        let added_by = parse_added_by(words.next()?).ok()?;
        let requests = words.map(|request| {
            let (id, revision) = request.split_once('=')?;
            Some((RequestId::parse(id).ok()?, parse_revision(revision)?))
        });
        Some(Self {
            state,
            revision,
            created_at,
            added_by,
            requests: requests.collect::<Option<_>>()?,
        })
    }
}

fn parse_revision(text: &str) -> Option<Revision> {
    text.parse().ok().map(Revision::new)
}

/// Parses the admin who added a registration; `-` = the user registered.
pub(crate) fn parse_added_by(text: &str) -> Result<Option<AdminId>> {
    match text {
        "-" => Ok(None),
        id => AdminId::parse(id)
            .map(Some)
            .map_err(|_| Error::unreadable(format_args!("the id {id} of an admin"))),
    }
}

/// The letter of a state in a record.
pub(crate) fn letter(state: RegistrationState) -> &'static str {
    match state {
        RegistrationState::Confirmed => "C",
        RegistrationState::Waitlisted => "W",
        RegistrationState::Withdrawn => "D",
        RegistrationState::Removed => "R",
    }
}

fn state_of_letter(text: &str) -> Option<RegistrationState> {
    ALL_STATES.into_iter().find(|state| letter(*state) == text)
}

/// Parses the word of a state, as the log and the replies of scripts have it.
pub(crate) fn parse_state(word: &str) -> Result<RegistrationState> {
    ALL_STATES
        .into_iter()
        .find(|state| state.as_str() == word)
        .ok_or_else(|| Error::unreadable(format_args!("the state {word}")))
}

const ALL_STATES: [RegistrationState; 4] = [
    RegistrationState::Confirmed,
    RegistrationState::Waitlisted,
    RegistrationState::Withdrawn,
    RegistrationState::Removed,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_parsed_whole_or_not_at_all() {
        let request = "0190b2a4-5b1c-4f7e-9d3a-2f6c8e1b7a90=12";
        let text = format!("W 13 1700000000000 olga {request}");
        let record = StoredRegistration::parse(&text).expect("a record");
        assert_eq!(record.state, RegistrationState::Waitlisted);
        assert_eq!(record.revision, Revision::new(13));
        assert_eq!(record.added_by, AdminId::parse("olga").ok());
        assert_eq!(record.requests[0].1, Revision::new(12));
        assert!(StoredRegistration::parse("C 12 1700000000000 -").is_ok());
        for bad in [
            "",
            "C",
            "C 12",
            "C 12 1700000000000",
            "C twelve 1700000000000 -",
            "X 12 1700000000000 -",
            "CW 12 1700000000000 -",
            "C 12 1700000000000 - request",
            "C 12 1700000000000 Olga!",
        ] {
            assert!(StoredRegistration::parse(bad).is_err(), "{bad}");
        }
    }
}
