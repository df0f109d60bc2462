//! The fields of an update that it cannot change. A client may send them with the values that it
//! read, so that it can change what it read and send all of it back.

use crate::competition::{Competition, CompetitionState};
use crate::id::UserId;
use crate::invalid::InvalidFields;
use crate::person::User;
use crate::timestamp::Timestamp;

/// A read-only field of an update.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Sent<T> {
    #[default]
    Absent,
    Value(T),
    /// Not a valid value, so it differs from every stored one.
    Unreadable,
}

/// The read-only fields of a competition, as far as an update sends them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOnlyCompetition {
    pub state: Sent<CompetitionState>,
    pub confirmed_count: Sent<u32>,
    pub waitlisted_count: Sent<u32>,
    pub revision: Sent<u64>,
    pub created_at: Sent<Timestamp>,
    pub updated_at: Sent<Timestamp>,
}

/// The read-only fields of a user, as far as an update sends them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOnlyUser {
    pub user_id: Sent<UserId>,
    /// The address as it is written.
    pub email: Sent<String>,
    pub created_at: Sent<Timestamp>,
    pub updated_at: Sent<Timestamp>,
}

const UNCHANGEABLE: &str = "cannot be changed here: leave it out, or send its present value";

impl<T: PartialEq> Sent<T> {
    pub fn parse<E>(parsed: Result<T, E>) -> Self {
        parsed.map_or(Self::Unreadable, Self::Value)
    }

    fn check(&self, field: &str, stored: &T, invalid: &mut InvalidFields) {
        self.check_by(field, |sent| sent == stored, invalid);
    }

    fn check_by(&self, field: &str, is_valid: impl Fn(&T) -> bool, invalid: &mut InvalidFields) {
        let is_accepted = match self {
            Self::Absent => true,
            Self::Value(sent) => is_valid(sent),
            Self::Unreadable => false,
        };
        if !is_accepted {
            invalid.reject(field, UNCHANGEABLE);
        }
    }
}

impl ReadOnlyCompetition {
    /// Fails with each field that differs from the stored competition. Registrations change the
    /// revision and the counts between the read and the update, so an earlier revision is accepted,
    /// and the counts are compared only without one.
    pub fn check(&self, stored: &Competition) -> Result<(), InvalidFields> {
        let mut invalid = InvalidFields::default();
        self.state.check("state", &stored.state, &mut invalid);
        let present = stored.revision.get();
        if !matches!(self.revision, Sent::Value(sent) if sent < present) {
            let counts = [
                (
                    "confirmed_count",
                    &self.confirmed_count,
                    stored.confirmed_count,
                ),
                (
                    "waitlisted_count",
                    &self.waitlisted_count,
                    stored.waitlisted_count,
                ),
            ];
            for (field, sent, stored) in counts {
                sent.check(field, &stored, &mut invalid);
            }
        }
        let was_current = |sent: &u64| (1..=present).contains(sent);
        self.revision
            .check_by("revision", was_current, &mut invalid);
        self.created_at
            .check("created_at", &stored.created_at, &mut invalid);
        self.updated_at
            .check("updated_at", &stored.updated_at, &mut invalid);
        invalid.into_result(())
    }
}

impl ReadOnlyUser {
    /// Fails with each field that differs from the stored user.
    pub fn check(&self, stored: &User) -> Result<(), InvalidFields> {
        let mut invalid = InvalidFields::default();
        self.user_id.check("user_id", &stored.id, &mut invalid);
        let is_stored = |sent: &String| sent == stored.email.as_str();
        self.email.check_by("email", is_stored, &mut invalid);
        self.created_at
            .check("created_at", &stored.created_at, &mut invalid);
        self.updated_at
            .check("updated_at", &stored.updated_at, &mut invalid);
        invalid.into_result(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::competition::{CompetitionDetails, Moments, Schedule};
    use crate::id::{CompetitionId, Revision};
    use crate::text::{Description, Title, Venue};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).expect("a moment")
    }

    /// A competition at revision 7, with 3 confirmed and 2 waiting.
    fn stored() -> Competition {
        let schedule = Schedule::parse(Moments {
            registration_opens_at: at(1),
            registration_closes_at: at(2),
            starts_at: at(3),
            ends_at: at(4),
        });
        Competition {
            id: CompetitionId::parse("spring-cup").expect("an id"),
            details: CompetitionDetails {
                title: Title::parse("Spring Cup").expect("a title"),
                description: Description::parse("").expect("a description"),
                venue: Venue::parse("").expect("a venue"),
                country_code: None,
                schedule: schedule.expect("a schedule"),
                capacity: None,
                waitlist_capacity: None,
            },
            state: CompetitionState::Published,
            confirmed_count: 3,
            waitlisted_count: 2,
            revision: Revision::new(7),
            changed_at_revision: Revision::new(2),
            created_at: at(10),
            updated_at: at(20),
        }
    }

    fn as_read() -> ReadOnlyCompetition {
        ReadOnlyCompetition {
            state: Sent::Value(CompetitionState::Published),
            confirmed_count: Sent::Value(3),
            waitlisted_count: Sent::Value(2),
            revision: Sent::Value(7),
            created_at: Sent::Value(at(10)),
            updated_at: Sent::Value(at(20)),
        }
    }

    fn refused(sent: &ReadOnlyCompetition) -> Vec<String> {
        let invalid = sent.check(&stored()).err().unwrap_or_default();
        let fields = invalid.fields().iter();
        fields.map(|invalid| invalid.field.clone()).collect()
    }

    #[test]
    fn the_values_that_were_read_and_absent_ones_are_accepted() {
        assert!(refused(&as_read()).is_empty());
        assert!(refused(&ReadOnlyCompetition::default()).is_empty());
    }

    #[test]
    fn each_field_that_differs_is_named() {
        let sent = ReadOnlyCompetition {
            state: Sent::Value(CompetitionState::Cancelled),
            confirmed_count: Sent::Value(4),
            waitlisted_count: Sent::Unreadable,
            revision: Sent::Value(8),
            created_at: Sent::Value(at(11)),
            updated_at: Sent::Unreadable,
        };
        let all = [
            "state",
            "confirmed_count",
            "waitlisted_count",
            "revision",
            "created_at",
            "updated_at",
        ];
        assert_eq!(refused(&sent), all);
    }

    #[test]
    fn counts_of_an_earlier_revision_are_accepted_and_its_state_is_compared() {
        let sent = ReadOnlyCompetition {
            state: Sent::Value(CompetitionState::Draft),
            confirmed_count: Sent::Value(9),
            revision: Sent::Value(6),
            ..as_read()
        };
        assert_eq!(refused(&sent), ["state"]);
        let without_revision = ReadOnlyCompetition {
            revision: Sent::Absent,
            ..sent
        };
        assert_eq!(refused(&without_revision), ["state", "confirmed_count"]);
    }
}
