//! Competitions: from draft to published to cancelled.

use domain::{CompetitionId, InvalidFields, Reason, RequestId};

use super::field::request_id;
use crate::admin;

/// Shows a draft to everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishCompetition {
    /// Which competition.
    pub competition_id: CompetitionId,
    /// Names the call.
    pub request_id: RequestId,
}

impl TryFrom<admin::PublishCompetitionRequest> for PublishCompetition {
    type Error = InvalidFields;

    fn try_from(request: admin::PublishCompetitionRequest) -> Result<Self, InvalidFields> {
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

/// Calls a competition off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelCompetition {
    /// Which competition.
    pub competition_id: CompetitionId,
    /// Why, for the log.
    pub reason: Reason,
    /// Names the call.
    pub request_id: RequestId,
}

impl TryFrom<admin::CancelCompetitionRequest> for CancelCompetition {
    type Error = InvalidFields;

    fn try_from(request: admin::CancelCompetitionRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let id = CompetitionId::parse(request.competition_id);
        let competition_id = invalid.check("competition_id", id);
        let reason = invalid.check("reason", Reason::parse(request.reason));
        let request_id = invalid.check("request_id", request_id(&request.request_id));
        invalid.finish(|| {
            Some(Self {
                competition_id: competition_id?,
                reason: reason?,
                request_id: request_id?,
            })
        })
    }
}

/// Throws a draft away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteCompetition {
    /// Which draft.
    pub competition_id: CompetitionId,
    /// Names the call.
    pub request_id: RequestId,
}

impl TryFrom<admin::DeleteCompetitionRequest> for DeleteCompetition {
    type Error = InvalidFields;

    fn try_from(request: admin::DeleteCompetitionRequest) -> Result<Self, InvalidFields> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::paths;

    #[test]
    fn every_wrong_field_of_a_cancellation_is_named() {
        let request = admin::CancelCompetitionRequest {
            competition_id: "no".to_owned(),
            reason: "x".repeat(501),
            request_id: "7".to_owned(),
        };
        let error = CancelCompetition::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id", "reason", "request_id"]);
    }

    #[test]
    fn one_publishes_and_deletes_by_a_real_id() {
        let request = admin::PublishCompetitionRequest::default();
        let error = PublishCompetition::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id"]);
        let request = admin::DeleteCompetitionRequest::default();
        let error = DeleteCompetition::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id"]);
    }
}
