//! Registrations by the user.

use domain::{CompetitionId, RequestId};

use super::field::request_id;
use crate::user;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    pub competition_id: CompetitionId,
    pub request_id: RequestId,
    /// Changes nothing and returns what the call would return now.
    pub validate_only: bool,
}

parse! {
    user::RegisterRequest as request => Register {
        competition_id: CompetitionId::parse(request.competition_id),
        request_id: request_id(&request.request_id);
        validate_only: request.validate_only,
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdraw {
    pub competition_id: CompetitionId,
    pub request_id: RequestId,
}

parse! {
    user::WithdrawRequest as request => Withdraw {
        competition_id: CompetitionId::parse(request.competition_id),
        request_id: request_id(&request.request_id),
    }
}

parse! {
    user::GetMyRegistrationRequest as request =>
        CompetitionId from "competition_id": Self::parse(request.competition_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::paths;

    const UUID: &str = "0190b2a4-5b1c-4f7e-9d3a-2f6c8e1b7a90";

    #[test]
    fn a_valid_registration_is_kept_as_sent() {
        let request = user::RegisterRequest {
            competition_id: "spring-cup".to_owned(),
            request_id: UUID.to_owned(),
            validate_only: true,
        };
        let register = Register::try_from(request).expect("a registration");
        assert_eq!(register.competition_id.as_str(), "spring-cup");
        assert_eq!(register.request_id.to_string(), UUID);
        assert!(register.validate_only);
    }

    #[test]
    fn every_invalid_field_is_reported() {
        let (competition_id, request_id) = ("{x}".to_owned(), "{x}".to_owned());
        let request = user::WithdrawRequest {
            competition_id: competition_id.clone(),
            request_id: request_id.clone(),
        };
        let withdraw = Withdraw::try_from(request).expect_err("refused");
        let request = user::RegisterRequest {
            competition_id,
            request_id,
            validate_only: false,
        };
        let register = Register::try_from(request).expect_err("refused");
        assert_eq!(withdraw, register);
        assert_eq!(paths(&register), ["competition_id", "request_id"]);
    }

    #[test]
    fn a_registration_is_read_by_a_valid_id() {
        let request = user::GetMyRegistrationRequest::default();
        let error = CompetitionId::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id"]);
    }
}
