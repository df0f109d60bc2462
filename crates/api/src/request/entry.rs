//! Registrations: what organisers do for users.

use domain::{CompetitionId, Email, InvalidFields, Reason, RegistrationState, RequestId, UserId};

use super::field::{choices, request_id};
use super::page::Page;
use crate::{admin, v1};

/// An organiser wants a user to be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddRegistration {
    /// Which competition.
    pub competition_id: CompetitionId,
    /// Whom.
    pub user: WhichUser,
    /// Whether the window does not count.
    pub ignore_window: bool,
    /// Whether neither the places nor the queue count.
    pub over_capacity: bool,
    /// Names the call.
    pub request_id: RequestId,
}

/// How an organiser names a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichUser {
    /// By id.
    Id(UserId),
    /// By the e-mail of the account.
    Email(Email),
}

impl TryFrom<admin::AddRegistrationRequest> for AddRegistration {
    type Error = InvalidFields;

    fn try_from(request: admin::AddRegistrationRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let id = CompetitionId::parse(request.competition_id);
        let competition_id = invalid.check("competition_id", id);
        let user = which_user(&mut invalid, request.user);
        let request_id = invalid.check("request_id", request_id(&request.request_id));
        invalid.finish(|| {
            Some(Self {
                competition_id: competition_id?,
                user: user?,
                ignore_window: request.ignore_window,
                over_capacity: request.over_capacity,
                request_id: request_id?,
            })
        })
    }
}

fn which_user(
    invalid: &mut InvalidFields,
    user: Option<admin::add_registration_request::User>,
) -> Option<WhichUser> {
    use admin::add_registration_request::User;
    match user {
        Some(User::UserId(id)) => invalid
            .check("user_id", UserId::parse(id))
            .map(WhichUser::Id),
        Some(User::Email(email)) => invalid
            .check("email", Email::parse(email))
            .map(WhichUser::Email),
        None => {
            invalid.reject("user_id", "must be set, or email");
            None
        }
    }
}

/// An organiser wants a user to be out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveRegistration {
    /// Which competition.
    pub competition_id: CompetitionId,
    /// Whom.
    pub user_id: UserId,
    /// Why, for the user and the log.
    pub reason: Reason,
    /// Names the call.
    pub request_id: RequestId,
}

impl TryFrom<admin::RemoveRegistrationRequest> for RemoveRegistration {
    type Error = InvalidFields;

    fn try_from(request: admin::RemoveRegistrationRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let id = CompetitionId::parse(request.competition_id);
        let competition_id = invalid.check("competition_id", id);
        let user_id = invalid.check("user_id", UserId::parse(request.user_id));
        let reason = invalid.check("reason", Reason::parse(request.reason));
        let request_id = invalid.check("request_id", request_id(&request.request_id));
        invalid.finish(|| {
            Some(Self {
                competition_id: competition_id?,
                user_id: user_id?,
                reason: reason?,
                request_id: request_id?,
            })
        })
    }
}

/// An organiser looks at one registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetRegistration {
    /// Which competition.
    pub competition_id: CompetitionId,
    /// Whose.
    pub user_id: UserId,
}

impl TryFrom<admin::GetRegistrationRequest> for GetRegistration {
    type Error = InvalidFields;

    fn try_from(request: admin::GetRegistrationRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let id = CompetitionId::parse(request.competition_id);
        let competition_id = invalid.check("competition_id", id);
        let user_id = invalid.check("user_id", UserId::parse(request.user_id));
        invalid.finish(|| {
            Some(Self {
                competition_id: competition_id?,
                user_id: user_id?,
            })
        })
    }
}

/// An organiser looks at the registrations of a competition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRegistrations {
    /// Which competition.
    pub competition_id: CompetitionId,
    /// In which states, each once; never empty.
    pub states: Vec<RegistrationState>,
    /// Which part of the list.
    pub page: Page,
}

impl TryFrom<admin::ListRegistrationsRequest> for ListRegistrations {
    type Error = InvalidFields;

    fn try_from(request: admin::ListRegistrationsRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let id = CompetitionId::parse(request.competition_id);
        let competition_id = invalid.check("competition_id", id);
        let states = invalid.check("states", states(&request.states));
        let page = Page::parse(request.page_size, request.page_token);
        let page = invalid.check(Page::FIELD, page);
        invalid.finish(|| {
            Some(Self {
                competition_id: competition_id?,
                states: states?,
                page: page?,
            })
        })
    }
}

/// The states that were named; those of who is in or waits if none was.
fn states(named: &[i32]) -> Result<Vec<RegistrationState>, &'static str> {
    const ALL: [RegistrationState; 4] = [
        RegistrationState::Confirmed,
        RegistrationState::Waitlisted,
        RegistrationState::Withdrawn,
        RegistrationState::Removed,
    ];
    if named.is_empty() {
        return Ok(ALL.into_iter().filter(|state| state.is_current()).collect());
    }
    choices(named, &ALL, |state| {
        v1::RegistrationState::from(state).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::paths;
    use admin::add_registration_request::User;

    fn add(user: Option<User>) -> Result<WhichUser, InvalidFields> {
        let request = admin::AddRegistrationRequest {
            competition_id: "spring-cup".to_owned(),
            user,
            ..Default::default()
        };
        AddRegistration::try_from(request).map(|add| add.user)
    }

    #[test]
    fn a_user_is_added_by_id_or_by_email() {
        let by_id = add(Some(User::UserId("ada-1815".to_owned())));
        assert!(matches!(by_id, Ok(WhichUser::Id(_))));
        let by_email = add(Some(User::Email("ada@example.org".to_owned())));
        assert!(matches!(by_email, Ok(WhichUser::Email(_))));
    }

    #[test]
    fn nobody_cannot_be_added() {
        let error = add(None).expect_err("refused");
        assert_eq!(error.to_string(), "user_id must be set, or email");
        let error = add(Some(User::UserId("Ada".to_owned()))).expect_err("refused");
        assert_eq!(paths(&error), ["user_id"]);
        let error = add(Some(User::Email("Ada".to_owned()))).expect_err("refused");
        assert_eq!(paths(&error), ["email"]);
    }

    #[test]
    fn every_wrong_field_of_a_removal_is_named() {
        let request = admin::RemoveRegistrationRequest {
            reason: "two\nlines".to_owned(),
            request_id: "7".to_owned(),
            ..Default::default()
        };
        let error = RemoveRegistration::try_from(request).expect_err("refused");
        assert_eq!(
            paths(&error),
            ["competition_id", "user_id", "reason", "request_id"]
        );
    }

    #[test]
    fn a_registration_is_found_by_two_real_ids() {
        let request = admin::GetRegistrationRequest::default();
        let error = GetRegistration::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id", "user_id"]);
    }

    #[test]
    fn a_list_without_states_shows_who_is_in_or_waits() {
        use RegistrationState::{Confirmed, Removed, Waitlisted};
        assert_eq!(states(&[]), Ok(vec![Confirmed, Waitlisted]));
        let removed = v1::RegistrationState::Removed.into();
        assert_eq!(states(&[removed]), Ok(vec![Removed]));
    }

    #[test]
    fn every_wrong_field_of_a_list_is_named() {
        let request = admin::ListRegistrationsRequest {
            states: vec![99],
            page_size: -1,
            ..Default::default()
        };
        let error = ListRegistrations::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id", "states", "page_size"]);
    }
}
