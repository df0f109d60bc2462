//! Registrations, alone and together with the user or the competition.

use domain::{AdminId, Competition, Registration, RegistrationState, User};

use super::number::{count, revision};
use super::time::timestamp;
use crate::{admin, user, v1};

impl From<Registration> for v1::Registration {
    fn from(registration: Registration) -> Self {
        Self {
            competition_id: registration.competition_id.into(),
            user_id: registration.user_id.into(),
            state: v1::RegistrationState::from(registration.state).into(),
            revision: revision(registration.revision),
            waitlist_position: registration.waitlist_position.map(count),
            removal_reason: registration.removal_reason.into(),
            created_at: Some(timestamp(registration.created_at)),
            updated_at: Some(timestamp(registration.updated_at)),
        }
    }
}

impl From<RegistrationState> for v1::RegistrationState {
    fn from(state: RegistrationState) -> Self {
        match state {
            RegistrationState::Confirmed => Self::Confirmed,
            RegistrationState::Waitlisted => Self::Waitlisted,
            RegistrationState::Withdrawn => Self::Withdrawn,
            RegistrationState::Removed => Self::Removed,
        }
    }
}

impl admin::RegistrationEntry {
    /// The view of an organiser. `user` is `None` if the account was deleted, `added_by` if the
    /// user registered without an admin.
    #[must_use]
    pub fn new(registration: Registration, user: Option<User>, added_by: Option<AdminId>) -> Self {
        let entry = Self {
            registration: Some(registration.into()),
            added_by: added_by.map(String::from).unwrap_or_default(),
            ..Self::default()
        };
        let Some(user) = user else { return entry };
        let profile = user.profile;
        Self {
            display_name: profile.display_name.into(),
            email: user.email.into(),
            club: profile.club.into(),
            country_code: profile.country_code.map(String::from).unwrap_or_default(),
            ..entry
        }
    }
}

impl user::MyRegistration {
    /// The view of a user.
    #[must_use]
    pub fn new(registration: Registration, competition: Competition) -> Self {
        Self {
            registration: Some(registration.into()),
            competition: Some(competition.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        Club, CompetitionId, DisplayName, Email, Profile, Reason, Revision, Timestamp, UserId,
    };

    fn ada() -> UserId {
        UserId::parse("ada-1815").expect("an id")
    }

    fn waiting() -> Registration {
        Registration {
            competition_id: CompetitionId::parse("spring-cup").expect("an id"),
            user_id: ada(),
            state: RegistrationState::Waitlisted,
            revision: Revision::new(7),
            waitlist_position: Some(1),
            removal_reason: Reason::parse("").expect("a reason"),
            created_at: Timestamp::MIN,
            updated_at: Timestamp::MIN,
        }
    }

    fn account() -> User {
        User {
            id: ada(),
            email: Email::parse("Ada@Example.org").expect("an address"),
            profile: Profile {
                display_name: DisplayName::parse("Ada").expect("a name"),
                country_code: None,
                birth_date: None,
                club: Club::parse("Analytical Engines").expect("a club"),
            },
            version: 1,
            created_at: Timestamp::MIN,
            updated_at: Timestamp::MIN,
        }
    }

    #[test]
    fn a_waiting_user_sees_the_position_in_the_waitlist() {
        let registration = v1::Registration::from(waiting());
        assert_eq!(registration.state(), v1::RegistrationState::Waitlisted);
        assert_eq!(registration.waitlist_position, Some(1));
        assert_eq!(registration.revision, 7);
    }

    #[test]
    fn an_organiser_sees_the_account_and_the_admin_who_added_it() {
        let admin = AdminId::parse("grace-1906").ok();
        let entry = admin::RegistrationEntry::new(waiting(), Some(account()), admin);
        assert_eq!(entry.email, "Ada@Example.org");
        assert_eq!(
            (entry.display_name, entry.club),
            ("Ada".to_owned(), "Analytical Engines".to_owned())
        );
        assert_eq!(
            (entry.country_code.as_str(), entry.added_by.as_str()),
            ("", "grace-1906")
        );
    }

    #[test]
    fn an_entry_of_a_deleted_account_has_only_the_id() {
        let entry = admin::RegistrationEntry::new(waiting(), None, None);
        let registration = Some(v1::Registration::from(waiting()));
        assert_eq!(
            entry,
            admin::RegistrationEntry {
                registration,
                ..Default::default()
            }
        );
    }
}
