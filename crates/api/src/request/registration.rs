//! Registrations: what users do for themselves.

use domain::{CompetitionId, InvalidFields, RequestId};

use super::field::{only, request_id};
use crate::user;

/// A user wants to be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// Which competition.
    pub competition_id: CompetitionId,
    /// Names the call.
    pub request_id: RequestId,
    /// Whether to change nothing and say what would happen.
    pub validate_only: bool,
}

impl TryFrom<user::RegisterRequest> for Register {
    type Error = InvalidFields;

    fn try_from(request: user::RegisterRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let id = CompetitionId::parse(request.competition_id);
        let competition_id = invalid.check("competition_id", id);
        let request_id = invalid.check("request_id", request_id(&request.request_id));
        invalid.finish(|| {
            Some(Self {
                competition_id: competition_id?,
                request_id: request_id?,
                validate_only: request.validate_only,
            })
        })
    }
}

/// A user wants to be out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdraw {
    /// Which competition.
    pub competition_id: CompetitionId,
    /// Names the call.
    pub request_id: RequestId,
}

impl TryFrom<user::WithdrawRequest> for Withdraw {
    type Error = InvalidFields;

    fn try_from(request: user::WithdrawRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let id = CompetitionId::parse(request.competition_id);
        let competition_id = invalid.check("competition_id", id);
        let request_id = invalid.check("request_id", request_id(&request.request_id));
        invalid.finish(|| {
            Some(Self {
                competition_id: competition_id?,
                request_id: request_id?,
            })
        })
    }
}

impl TryFrom<user::GetMyRegistrationRequest> for CompetitionId {
    type Error = InvalidFields;

    fn try_from(request: user::GetMyRegistrationRequest) -> Result<Self, InvalidFields> {
        only("competition_id", Self::parse(request.competition_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::paths;

    const UUID: &str = "0190b2a4-5b1c-4f7e-9d3a-2f6c8e1b7a90";

    #[test]
    fn a_registration_keeps_what_the_client_said() {
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
    fn every_wrong_field_is_named() {
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
    fn one_asks_for_a_registration_by_a_real_id() {
        let request = user::GetMyRegistrationRequest::default();
        let error = CompetitionId::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id"]);
    }
}
