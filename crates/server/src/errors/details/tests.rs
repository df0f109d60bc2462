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
        Failure::HeadersTooLarge,
        Failure::Cancelled,
        Failure::MessageTimeout,
        Failure::TooManyStreams,
        Failure::UnknownMethod,
        Failure::DeadlineExceeded,
        Failure::Unavailable("connection refused".to_owned()),
        Failure::StoreFull("OOM".to_owned()),
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
            Failure::from(Rejection::TooManySignUps { retry_after }),
            Code::ResourceExhausted,
            Some(retry_after),
        ),
        (
            Failure::from(Rejection::TooManySignIns { retry_after }),
            Code::ResourceExhausted,
            Some(retry_after),
        ),
        (
            Failure::from(Rejection::TooManyChanges { retry_after }),
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
        (Failure::HeadersTooLarge, Code::ResourceExhausted, None),
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
