//! Who runs competitions, and what they look up.

use domain::{
    AdminId, CompetitionId, DisplayName, Email, InvalidFields, Password, RequestId, Role, UserId,
};

use super::field::{only, request_id};
use super::page::Page;
use crate::{admin, v1};

/// A new admin.
#[derive(Debug, Clone)]
pub struct CreateAdmin {
    /// How to sign in.
    pub email: Email,
    /// The first password.
    pub password: Password,
    /// How the person wants to be called.
    pub display_name: DisplayName,
    /// What the person may do.
    pub role: Role,
    /// Names the call.
    pub request_id: RequestId,
}

impl TryFrom<admin::CreateAdminRequest> for CreateAdmin {
    type Error = InvalidFields;

    fn try_from(request: admin::CreateAdminRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let email = invalid.check("email", Email::parse(request.email));
        let password = invalid.check("password", Password::parse(request.password));
        let display_name = invalid.check("display_name", DisplayName::parse(request.display_name));
        let role = invalid.check("role", role(request.role));
        let request_id = invalid.check("request_id", request_id(&request.request_id));
        invalid.finish(|| {
            Some(Self {
                email: email?,
                password: password?,
                display_name: display_name?,
                role: role?,
                request_id: request_id?,
            })
        })
    }
}

fn role(number: i32) -> Result<Role, &'static str> {
    let is_meant = |role: &Role| i32::from(v1::AdminRole::from(*role)) == number;
    [Role::Owner, Role::Organiser, Role::Viewer]
        .into_iter()
        .find(is_meant)
        .ok_or("must be OWNER, ORGANISER or VIEWER")
}

/// Shuts an admin's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisableAdmin {
    /// Whose.
    pub admin_id: AdminId,
    /// Names the call.
    pub request_id: RequestId,
}

impl TryFrom<admin::DisableAdminRequest> for DisableAdmin {
    type Error = InvalidFields;

    fn try_from(request: admin::DisableAdminRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let admin_id = invalid.check("admin_id", AdminId::parse(request.admin_id));
        let request_id = invalid.check("request_id", request_id(&request.request_id));
        invalid.finish(|| {
            Some(Self {
                admin_id: admin_id?,
                request_id: request_id?,
            })
        })
    }
}

/// Which users to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListUsers {
    /// Only the one with this e-mail.
    pub email: Option<Email>,
    /// Which part of the list.
    pub page: Page,
}

impl TryFrom<admin::ListUsersRequest> for ListUsers {
    type Error = InvalidFields;

    fn try_from(request: admin::ListUsersRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let email = (!request.email.is_empty()).then(|| Email::parse(request.email));
        let email = invalid.check("email", email.transpose());
        let page = Page::parse(request.page_size, request.page_token);
        let page = invalid.check(Page::FIELD, page);
        invalid.finish(|| {
            Some(Self {
                email: email?,
                page: page?,
            })
        })
    }
}

impl TryFrom<admin::GetUserRequest> for UserId {
    type Error = InvalidFields;

    fn try_from(request: admin::GetUserRequest) -> Result<Self, InvalidFields> {
        only("user_id", Self::parse(request.user_id))
    }
}

/// Which part of a competition's log to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListAuditEntries {
    /// Which competition.
    pub competition_id: CompetitionId,
    /// Which part of the list.
    pub page: Page,
}

impl TryFrom<admin::ListAuditEntriesRequest> for ListAuditEntries {
    type Error = InvalidFields;

    fn try_from(request: admin::ListAuditEntriesRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let id = CompetitionId::parse(request.competition_id);
        let competition_id = invalid.check("competition_id", id);
        let page = Page::parse(request.page_size, request.page_token);
        let page = invalid.check(Page::FIELD, page);
        invalid.finish(|| {
            Some(Self {
                competition_id: competition_id?,
                page: page?,
            })
        })
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
    fn a_role_is_one_of_three() {
        assert_eq!(role(v1::AdminRole::Owner.into()), Ok(Role::Owner));
        assert_eq!(role(v1::AdminRole::Viewer.into()), Ok(Role::Viewer));
        assert!(role(v1::AdminRole::Unspecified.into()).is_err());
        assert!(role(99).is_err());
    }

    #[test]
    fn an_admin_is_disabled_by_a_real_id() {
        let request = admin::DisableAdminRequest {
            admin_id: "Ada".to_owned(),
            request_id: "7".to_owned(),
        };
        let error = DisableAdmin::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["admin_id", "request_id"]);
    }

    #[test]
    fn users_are_listed_all_or_by_a_real_email() {
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
    fn a_user_and_a_log_are_found_by_real_ids() {
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
