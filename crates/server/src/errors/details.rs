//! The error that the client reads: the code, a sentence, and the standard details.

use std::collections::HashMap;

use domain::{Rejected, Rejection};
use store::WriteOutcome;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::Failure;
use super::table::{DOMAIN, Row, row};

pub(crate) struct ClientError {
    pub(crate) status: Status,
    /// `ErrorInfo.reason`, for the log.
    pub(crate) reason: &'static str,
}

/// Returns the client's error for a failed call.
///
/// The client names `call_id` when it asks for help. `outcome`, whether a write may have happened,
/// is included if the code leaves that open.
pub(crate) fn client_error(failure: &Failure, call_id: &str, outcome: WriteOutcome) -> ClientError {
    let Row {
        code,
        reason,
        retry_after,
    } = row(failure);
    let mut details = ErrorDetails::new();
    details
        .set_error_info(reason, DOMAIN, metadata(failure, code, outcome))
        .set_request_info(call_id, "");
    if let Some(delay) = retry_after {
        details.set_retry_info(Some(delay));
    }
    let invalid_fields = field_violations(failure);
    if !invalid_fields.is_empty() {
        details.set_bad_request(invalid_fields);
    }
    if let Failure::Rejected(rejected) = failure
        && let Some((kind, name)) = missing_resource(rejected)
    {
        details.set_resource_info(kind, name, "", rejected.to_string());
    }
    ClientError {
        status: Status::with_error_details(code, sentence(failure), details),
        reason,
    }
}

/// Returns the message of the status. Failures of the server have a fixed sentence; their detail is
/// in the log, under the call's id.
fn sentence(failure: &Failure) -> String {
    match failure {
        Failure::Unavailable(_) => {
            "the service cannot reach its database; try again later".to_owned()
        }
        Failure::Internal(_) => {
            "internal error; the server's log has the details under the request id".to_owned()
        }
        _ => failure.to_string(),
    }
}

/// Returns the ids and facts of a rejection, and whether a write may have been applied.
fn metadata(failure: &Failure, code: Code, outcome: WriteOutcome) -> HashMap<String, String> {
    let mut metadata = HashMap::new();
    if let Failure::Rejected(rejected) = failure {
        let named = rejected.metadata.iter();
        metadata.extend(named.map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
    if matches!(code, Code::Unavailable | Code::DeadlineExceeded) {
        let outcome = match outcome {
            WriteOutcome::NotApplied => "NOT_APPLIED",
            WriteOutcome::Unknown => "UNKNOWN",
        };
        metadata.insert("outcome".to_owned(), outcome.to_owned());
    }
    metadata
}

fn field_violations(failure: &Failure) -> Vec<FieldViolation> {
    match failure {
        Failure::Invalid(invalid) => invalid
            .fields()
            .iter()
            .map(|wrong| FieldViolation::new(&wrong.field, &wrong.description))
            .collect(),
        Failure::Rejected(rejected) if rejected.rejection == Rejection::RequestIdReused => {
            vec![FieldViolation::new("request_id", rejected.to_string())]
        }
        _ => Vec::new(),
    }
}

/// Returns the type and the id of a resource that does not exist.
fn missing_resource(rejected: &Rejected) -> Option<(&'static str, String)> {
    let (kind, id) = match rejected.rejection {
        Rejection::CompetitionNotFound => ("startlist.v1.Competition", "competition_id"),
        Rejection::UserNotFound => ("startlist.v1.User", "user_id"),
        Rejection::AdminNotFound => ("startlist.v1.Admin", "admin_id"),
        Rejection::NotRegistered => ("startlist.v1.Registration", "competition_id"),
        _ => return None,
    };
    let sought = rejected.metadata.iter().find(|(name, _)| *name == id);
    Some((kind, sought.map(|(_, id)| id.clone()).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{CompetitionId, InvalidFields, Revision};

    use super::*;

    fn status(failure: impl Into<Failure>) -> Status {
        client_error(&failure.into(), "call-1", WriteOutcome::NotApplied).status
    }

    fn competition() -> CompetitionId {
        CompetitionId::parse("spring-cup").expect("an id")
    }

    #[test]
    fn every_error_has_a_reason_a_domain_and_a_call_id() {
        for failure in [
            Failure::Invalid(InvalidFields::one("title", &"must be set")),
            Failure::Malformed("odd".to_owned()),
            Failure::Compressed("odd".to_owned()),
            Failure::MessageTooLarge,
            Failure::UnknownMethod,
            Failure::DeadlineExceeded,
            Failure::Unavailable("connection refused".to_owned()),
            Failure::Internal("a corrupt record".to_owned()),
            Failure::from(Rejection::Unauthenticated),
        ] {
            let details = status(failure).get_error_details();
            let info = details.error_info().expect("ErrorInfo");
            assert_eq!(info.domain, "startlist");
            assert!(!info.reason.is_empty());
            let request = details.request_info().expect("RequestInfo");
            assert_eq!(request.request_id, "call-1");
        }
    }

    #[test]
    fn an_invalid_request_lists_every_invalid_field() {
        let mut invalid = InvalidFields::default();
        invalid.reject("title", &"must be set");
        invalid.reject("venue", &"must be shorter");
        let status = status(invalid);
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let fields = &details.bad_request().expect("BadRequest").field_violations;
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|field| (field.field.as_str(), field.description.as_str()))
            .collect();
        assert_eq!(
            fields,
            [("title", "must be set"), ("venue", "must be shorter")]
        );
    }

    #[test]
    fn a_reused_request_id_is_an_invalid_field() {
        let status = status(Rejection::RequestIdReused);
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let wrong = &details.bad_request().expect("BadRequest").field_violations;
        assert_eq!(wrong[0].field, "request_id");
    }

    #[test]
    fn a_rejection_carries_its_ids_and_facts() {
        let rejected = Rejected::from(Rejection::CompetitionFull {
            capacity: Some(10),
            confirmed_count: 10,
            waitlisted_count: 3,
        });
        let status = status(
            rejected
                .in_competition(&competition())
                .at(Revision::new(14)),
        );
        assert_eq!(status.code(), Code::FailedPrecondition);
        let details = status.get_error_details();
        let info = details.error_info().expect("ErrorInfo");
        assert_eq!(info.reason, "COMPETITION_FULL");
        for (name, value) in [
            ("competition_id", "spring-cup"),
            ("capacity", "10"),
            ("confirmed_count", "10"),
            ("waitlisted_count", "3"),
            ("revision", "14"),
        ] {
            assert_eq!(info.metadata.get(name).map(String::as_str), Some(value));
        }
    }

    #[test]
    fn a_missing_resource_is_named() {
        let rejected = Rejected::from(Rejection::CompetitionNotFound);
        let status = status(rejected.in_competition(&competition()));
        assert_eq!(status.code(), Code::NotFound);
        let details = status.get_error_details();
        let resource = details.resource_info().expect("ResourceInfo");
        assert_eq!(resource.resource_type, "startlist.v1.Competition");
        assert_eq!(resource.resource_name, "spring-cup");
    }

    #[test]
    fn errors_worth_retrying_have_a_retry_delay() {
        let retry_after = Duration::from_secs(7);
        for (failure, code, delay) in [
            (
                Failure::from(Rejection::TooManySignIns { retry_after }),
                Code::ResourceExhausted,
                Some(retry_after),
            ),
            (
                Failure::from(Rejection::Overloaded { retry_after }),
                Code::ResourceExhausted,
                Some(retry_after),
            ),
            (
                Failure::Unavailable("connection refused".to_owned()),
                Code::Unavailable,
                Some(Duration::from_secs(1)),
            ),
            // A retry would send the same message.
            (Failure::MessageTooLarge, Code::ResourceExhausted, None),
        ] {
            let status = status(failure);
            assert_eq!(status.code(), code);
            let details = status.get_error_details();
            let retry = details.retry_info().and_then(|retry| retry.retry_delay);
            assert_eq!(retry, delay);
        }
    }

    #[test]
    fn an_unknown_outcome_is_reported_if_the_code_leaves_it_open() {
        for failure in [
            Failure::DeadlineExceeded,
            Failure::Unavailable("connection refused".to_owned()),
        ] {
            for (outcome, word) in [
                (WriteOutcome::NotApplied, "NOT_APPLIED"),
                (WriteOutcome::Unknown, "UNKNOWN"),
            ] {
                let details = client_error(&failure, "call-1", outcome)
                    .status
                    .get_error_details();
                let info = details.error_info().expect("ErrorInfo");
                assert_eq!(info.metadata.get("outcome").map(String::as_str), Some(word));
            }
        }
        let details = status(Rejection::EmailTaken).get_error_details();
        let info = details.error_info().expect("ErrorInfo");
        assert!(info.metadata.is_empty());
    }

    #[test]
    fn the_detail_of_a_server_failure_is_not_sent() {
        for failure in [
            Failure::Internal("c:{spring-cup}:meta".to_owned()),
            Failure::Unavailable("10.0.0.7:6379 refused".to_owned()),
        ] {
            let status = status(failure);
            let read = format!("{} {:?}", status.message(), status.details());
            for secret in ["spring-cup", "10.0.0.7", "6379"] {
                assert!(!read.contains(secret));
            }
        }
    }
}
