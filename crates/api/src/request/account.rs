//! Sign-in, and the calls that need the password.

use domain::{Email, Password, RequestId};

use super::field::request_id;
use crate::{admin, user};

/// A sign-in to either service.
#[derive(Debug, Clone)]
pub struct SignIn {
    pub email: Email,
    pub password: Password,
}

parse! {
    user::SignInRequest as request => SignIn {
        email: Email::typed(request.email),
        password: Password::typed(request.password),
    }
}

parse! {
    admin::SignInRequest as request => SignIn {
        email: Email::typed(request.email),
        password: Password::typed(request.password),
    }
}

#[derive(Debug, Clone)]
pub struct ChangePassword {
    pub current_password: Password,
    pub new_password: Password,
    pub request_id: RequestId,
}

parse! {
    user::ChangePasswordRequest as request => ChangePassword {
        current_password: Password::typed(request.current_password),
        new_password: Password::parse(request.new_password),
        request_id: request_id(&request.request_id),
    }
}

#[derive(Debug, Clone)]
pub struct DeleteMe {
    pub password: Password,
    pub request_id: RequestId,
}

parse! {
    user::DeleteMeRequest as request => DeleteMe {
        password: Password::typed(request.password),
        request_id: request_id(&request.request_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::paths;

    #[test]
    fn a_sign_in_accepts_a_password_that_could_not_be_set_today() {
        let request = user::SignInRequest {
            email: "ada@example.org".to_owned(),
            password: "password".to_owned(),
        };
        assert!(SignIn::try_from(request).is_ok());
    }

    #[test]
    fn an_invalid_sign_in_is_refused_without_repeating_the_password() {
        let request = admin::SignInRequest {
            email: "ada".to_owned(),
            password: "s3cret".repeat(100),
        };
        let error = SignIn::try_from(request).expect_err("refused").to_string();
        assert!(error.contains("email must be") && error.contains("password must be"));
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn a_new_password_must_not_be_common() {
        let request = user::ChangePasswordRequest {
            current_password: "password".to_owned(),
            new_password: "password".to_owned(),
            request_id: String::new(),
        };
        let error = ChangePassword::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["new_password"]);
    }

    #[test]
    fn a_deletion_with_an_invalid_request_id_is_refused() {
        let request = user::DeleteMeRequest {
            password: "correct horse".to_owned(),
            request_id: "twice".to_owned(),
        };
        let error = DeleteMe::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["request_id"]);
    }
}
