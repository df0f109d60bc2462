//! Signing in, and what needs the password.

use domain::{Email, InvalidFields, Password, RequestId};

use super::field::request_id;
use crate::{admin, user};

/// What a person typed to sign in, at either service.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The e-mail of the account.
    pub email: Email,
    /// What was typed.
    pub password: Password,
}

impl SignIn {
    fn parse(email: String, password: String) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let email = invalid.check("email", Email::parse(email));
        let password = invalid.check("password", Password::typed(password));
        invalid.finish(|| {
            Some(Self {
                email: email?,
                password: password?,
            })
        })
    }
}

impl TryFrom<user::SignInRequest> for SignIn {
    type Error = InvalidFields;

    fn try_from(request: user::SignInRequest) -> Result<Self, InvalidFields> {
        Self::parse(request.email, request.password)
    }
}

impl TryFrom<admin::SignInRequest> for SignIn {
    type Error = InvalidFields;

    fn try_from(request: admin::SignInRequest) -> Result<Self, InvalidFields> {
        Self::parse(request.email, request.password)
    }
}

/// A change of password.
#[derive(Debug, Clone)]
pub struct ChangePassword {
    /// What was typed as the password until now.
    pub current_password: Password,
    /// The password from now on.
    pub new_password: Password,
    /// Names the call.
    pub request_id: RequestId,
}

impl TryFrom<user::ChangePasswordRequest> for ChangePassword {
    type Error = InvalidFields;

    fn try_from(request: user::ChangePasswordRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let current = Password::typed(request.current_password);
        let current_password = invalid.check("current_password", current);
        let new_password = invalid.check("new_password", Password::parse(request.new_password));
        let request_id = invalid.check("request_id", request_id(&request.request_id));
        invalid.finish(|| {
            Some(Self {
                current_password: current_password?,
                new_password: new_password?,
                request_id: request_id?,
            })
        })
    }
}

/// The end of an account.
#[derive(Debug, Clone)]
pub struct DeleteMe {
    /// What was typed, to be sure.
    pub password: Password,
    /// Names the call.
    pub request_id: RequestId,
}

impl TryFrom<user::DeleteMeRequest> for DeleteMe {
    type Error = InvalidFields;

    fn try_from(request: user::DeleteMeRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let password = invalid.check("password", Password::typed(request.password));
        let request_id = invalid.check("request_id", request_id(&request.request_id));
        invalid.finish(|| {
            Some(Self {
                password: password?,
                request_id: request_id?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::paths;

    #[test]
    fn whoever_signs_in_may_have_a_password_that_could_not_be_set_today() {
        let request = user::SignInRequest {
            email: "ada@example.org".to_owned(),
            password: "password".to_owned(),
        };
        assert!(SignIn::try_from(request).is_ok());
    }

    #[test]
    fn a_text_that_no_account_can_have_is_refused_without_repeating_the_password() {
        let request = admin::SignInRequest {
            email: "ada".to_owned(),
            password: "s3cret".repeat(100),
        };
        let error = SignIn::try_from(request).expect_err("refused").to_string();
        assert!(error.contains("email must be") && error.contains("password must be"));
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn a_new_password_must_be_a_good_one() {
        let request = user::ChangePasswordRequest {
            current_password: "password".to_owned(),
            new_password: "password".to_owned(),
            request_id: String::new(),
        };
        let error = ChangePassword::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["new_password"]);
    }

    #[test]
    fn an_account_is_not_deleted_under_a_name_that_is_no_uuid() {
        let request = user::DeleteMeRequest {
            password: "correct horse".to_owned(),
            request_id: "twice".to_owned(),
        };
        let error = DeleteMe::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["request_id"]);
    }
}
