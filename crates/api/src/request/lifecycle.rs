//! Transitions of a competition: published, cancelled, deleted.

use domain::{CompetitionId, Reason, RequestId};

use super::field::request_id;
use crate::admin;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishCompetition {
    pub competition_id: CompetitionId,
    pub request_id: RequestId,
}

parse! {
    admin::PublishCompetitionRequest as request => PublishCompetition {
        competition_id: CompetitionId::parse(request.competition_id),
        request_id: request_id(&request.request_id),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelCompetition {
    pub competition_id: CompetitionId,
    /// For the log; may be empty.
    pub reason: Reason,
    pub request_id: RequestId,
}

parse! {
    admin::CancelCompetitionRequest as request => CancelCompetition {
        competition_id: CompetitionId::parse(request.competition_id),
        reason: Reason::parse(request.reason),
        request_id: request_id(&request.request_id),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteCompetition {
    pub competition_id: CompetitionId,
    pub request_id: RequestId,
}

parse! {
    admin::DeleteCompetitionRequest as request => DeleteCompetition {
        competition_id: CompetitionId::parse(request.competition_id),
        request_id: request_id(&request.request_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::paths;

    #[test]
    fn every_invalid_field_of_a_cancellation_is_reported() {
        let request = admin::CancelCompetitionRequest {
            competition_id: "no".to_owned(),
            reason: "x".repeat(501),
            request_id: "7".to_owned(),
        };
        let error = CancelCompetition::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id", "reason", "request_id"]);
    }

    #[test]
    fn publishing_and_deleting_need_a_valid_id() {
        let request = admin::PublishCompetitionRequest::default();
        let error = PublishCompetition::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id"]);
        let request = admin::DeleteCompetitionRequest::default();
        let error = DeleteCompetition::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id"]);
    }
}
