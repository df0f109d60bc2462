//! Registrations by an organiser.

use domain::{
    AddOptions, CompetitionId, Email, InvalidFields, Reason, RegistrationState, RequestId, UserId,
};

use super::field::{choices, request_id};
use super::page::RequestedPage;
use crate::{admin, v1};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddRegistration {
    pub competition_id: CompetitionId,
    pub user: WhichUser,
    pub options: AddOptions,
    pub request_id: RequestId,
}

/// The user of an addition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichUser {
    Id(UserId),
    /// The address of the user's account.
    Email(Email),
}

impl TryFrom<admin::AddRegistrationRequest> for AddRegistration {
    type Error = InvalidFields;

    fn try_from(request: admin::AddRegistrationRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let id = CompetitionId::parse(request.competition_id);
        let competition_id = invalid.check("competition_id", id);
        let user = invalid.absorb(which_user(request.user));
        let request_id = invalid.check("request_id", request_id(&request.request_id));
        let (Some(competition_id), Some(user), Some(request_id)) =
            (competition_id, user, request_id)
        else {
            return Err(invalid);
        };
        Ok(Self {
            competition_id,
            user,
            options: AddOptions {
                ignore_window: request.ignore_window,
                over_capacity: request.over_capacity,
            },
            request_id,
        })
    }
}

/// Parses the oneof; the invalid field is the member that was set.
fn which_user(
    user: Option<admin::add_registration_request::User>,
) -> Result<WhichUser, InvalidFields> {
    use admin::add_registration_request::User;
    match user {
        Some(User::UserId(id)) => UserId::parse(id)
            .map(WhichUser::Id)
            .map_err(|error| InvalidFields::one("user_id", &error)),
        Some(User::Email(email)) => Email::typed(email)
            .map(WhichUser::Email)
            .map_err(|error| InvalidFields::one("email", &error)),
        None => Err(InvalidFields::one("user_id", "must be set, or email")),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveRegistration {
    pub competition_id: CompetitionId,
    pub user_id: UserId,
    /// For the user and the log; may be empty.
    pub reason: Reason,
    pub request_id: RequestId,
}

parse! {
    admin::RemoveRegistrationRequest as request => RemoveRegistration {
        competition_id: CompetitionId::parse(request.competition_id),
        user_id: UserId::parse(request.user_id),
        reason: Reason::parse(request.reason),
        request_id: request_id(&request.request_id),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetRegistration {
    pub competition_id: CompetitionId,
    pub user_id: UserId,
}

parse! {
    admin::GetRegistrationRequest as request => GetRegistration {
        competition_id: CompetitionId::parse(request.competition_id),
        user_id: UserId::parse(request.user_id),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRegistrations {
    pub competition_id: CompetitionId,
    /// The states to list, each once; never empty.
    pub states: Vec<RegistrationState>,
    pub page: RequestedPage,
}

parse! {
    admin::ListRegistrationsRequest as request => ListRegistrations {
        competition_id: CompetitionId::parse(request.competition_id),
        states: states(&request.states),
        page as "page_size": RequestedPage::parse(request.page_size, request.page_token),
    }
}

/// Returns the named states; those of current registrations if none is named.
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
    fn an_addition_needs_a_valid_user() {
        let error = add(None).expect_err("refused");
        assert_eq!(error.to_string(), "user_id must be set, or email");
        let error = add(Some(User::UserId("Ada".to_owned()))).expect_err("refused");
        assert_eq!(paths(&error), ["user_id"]);
        let error = add(Some(User::Email("Ada".to_owned()))).expect_err("refused");
        assert_eq!(paths(&error), ["email"]);
    }

    #[test]
    fn every_invalid_field_of_a_removal_is_reported() {
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
    fn a_registration_is_read_by_two_valid_ids() {
        let request = admin::GetRegistrationRequest::default();
        let error = GetRegistration::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id", "user_id"]);
    }

    #[test]
    fn a_list_shows_confirmed_and_waiting_users_by_default() {
        use RegistrationState::{Confirmed, Removed, Waitlisted};
        assert_eq!(states(&[]), Ok(vec![Confirmed, Waitlisted]));
        let removed = v1::RegistrationState::Removed.into();
        assert_eq!(states(&[removed]), Ok(vec![Removed]));
    }

    #[test]
    fn every_invalid_field_of_a_list_is_reported() {
        let request = admin::ListRegistrationsRequest {
            states: vec![99],
            page_size: -1,
            ..Default::default()
        };
        let error = ListRegistrations::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id", "states", "page_size"]);
    }
}
