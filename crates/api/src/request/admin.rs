//! Admins, users and logs.

use domain::{AdminId, CompetitionId, DisplayName, Email, Password, RequestId, Role, UserId};

use super::field::{new_password, request_id};
use super::page::RequestedPage;
use crate::{admin, v1};

#[derive(Debug, Clone)]
pub struct CreateAdmin {
    pub email: Email,
    pub password: Password,
    pub display_name: DisplayName,
    pub role: Role,
    pub request_id: RequestId,
}

parse! {
    admin::CreateAdminRequest as request => CreateAdmin {
        email: Email::parse(request.email),
        password: new_password(request.password, email.as_ref()),
        display_name: DisplayName::parse(request.display_name),
        role: role(request.role),
        request_id: request_id(&request.request_id),
    }
}

fn role(number: i32) -> Result<Role, &'static str> {
    let is_meant = |role: &Role| i32::from(v1::AdminRole::from(*role)) == number;
    [Role::Owner, Role::Organiser, Role::Viewer]
        .into_iter()
        .find(is_meant)
        .ok_or("must be OWNER, ORGANISER or VIEWER")
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisableAdmin {
    pub admin_id: AdminId,
    pub request_id: RequestId,
}

parse! {
    admin::DisableAdminRequest as request => DisableAdmin {
        admin_id: AdminId::parse(request.admin_id),
        request_id: request_id(&request.request_id),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListUsers {
    /// Lists only the user with this address.
    pub email: Option<Email>,
    pub page: RequestedPage,
}

parse! {
    admin::ListUsersRequest as request => ListUsers {
        email: optional_email(request.email),
        page as "page_size": RequestedPage::parse(request.page_size, request.page_token),
    }
}

/// Parses an address; empty is `None`.
fn optional_email(text: String) -> Result<Option<Email>, domain::email::NotAnEmail> {
    if text.is_empty() {
        return Ok(None);
    }
    Email::typed(text).map(Some)
}

parse! {
    admin::GetUserRequest as request => UserId from "user_id": Self::parse(request.user_id)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListAuditEntries {
    pub competition_id: CompetitionId,
    pub page: RequestedPage,
}

parse! {
    admin::ListAuditEntriesRequest as request => ListAuditEntries {
        competition_id: CompetitionId::parse(request.competition_id),
        page as "page_size": RequestedPage::parse(request.page_size, request.page_token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::paths;

    #[test]
    fn an_admin_needs_an_email_a_password_a_name_and_a_role() {
        let request = admin::CreateAdminRequest::default();
        let error = CreateAdmin::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["email", "password", "display_name", "role"]);
    }

    #[test]
    fn the_password_of_an_admin_must_not_be_the_address() {
        let request = admin::CreateAdminRequest {
            email: "ada.lovelace@example.org".to_owned(),
            password: "ada.lovelace".to_owned(),
            display_name: "Ada".to_owned(),
            role: v1::AdminRole::Owner.into(),
            ..Default::default()
        };
        let error = CreateAdmin::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["password"]);
    }

    #[test]
    fn a_role_is_one_of_three() {
        assert_eq!(role(v1::AdminRole::Owner.into()), Ok(Role::Owner));
        assert_eq!(role(v1::AdminRole::Viewer.into()), Ok(Role::Viewer));
        assert!(role(v1::AdminRole::Unspecified.into()).is_err());
        assert!(role(99).is_err());
    }

    #[test]
    fn disabling_needs_a_valid_id() {
        let request = admin::DisableAdminRequest {
            admin_id: "Ada".to_owned(),
            request_id: "7".to_owned(),
        };
        let error = DisableAdmin::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["admin_id", "request_id"]);
    }

    #[test]
    fn users_are_listed_all_or_by_a_valid_email() {
        let all = ListUsers::try_from(admin::ListUsersRequest::default());
        assert_eq!(all.expect("a list").email, None);
        let request = admin::ListUsersRequest {
            page_size: -1,
            email: "Ada".to_owned(),
            ..Default::default()
        };
        let error = ListUsers::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["email", "page_size"]);
    }

    #[test]
    fn a_user_and_a_log_are_read_by_valid_ids() {
        let error = UserId::try_from(admin::GetUserRequest::default()).expect_err("refused");
        assert_eq!(paths(&error), ["user_id"]);
        let request = admin::ListAuditEntriesRequest {
            page_size: -1,
            ..Default::default()
        };
        let error = ListAuditEntries::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id", "page_size"]);
    }
}
