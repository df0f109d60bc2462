//! A failure as the answer that the client reads: the code, a sentence, and the standard details.

use std::collections::HashMap;

use domain::{Rejected, Rejection};
use store::outcome::Outcome;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::Failure;
use super::table::{DOMAIN, Row, row};

/// The answer to a failed call.
pub(crate) struct Answer {
    /// What the client reads.
    pub(crate) status: Status,
    /// `ErrorInfo.reason`, for the log.
    pub(crate) reason: &'static str,
}

/// Writes the answer to a failed call.
///
/// `call_id` is for the client to name when it asks for help; `outcome` says whether a write may have
/// happened, and is told where the code leaves that open.
pub(crate) fn answer(failure: &Failure, call_id: &str, outcome: Outcome) -> Answer {
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
    let wrong_fields = field_violations(failure);
    if !wrong_fields.is_empty() {
        details.set_bad_request(wrong_fields);
    }
    if let Failure::Rejected(rejected) = failure
        && let Some((kind, name)) = missing_resource(rejected)
    {
        details.set_resource_info(kind, name, "", rejected.to_string());
    }
    Answer {
        status: Status::with_error_details(code, sentence(failure), details),
        reason,
    }
}

/// What the client reads. What goes wrong on the server's side has a fixed sentence: its detail is in
/// the log, under the call's id.
fn sentence(failure: &Failure) -> String {
    match failure {
        Failure::Unavailable(_) => "the service cannot reach its store, try again later".to_owned(),
        Failure::Internal(_) => "the server has a fault, its log says more".to_owned(),
        stated => stated.to_string(),
    }
}

/// The ids and facts of a rejection, and where a write may have been sent, whether it was.
fn metadata(failure: &Failure, code: Code, outcome: Outcome) -> HashMap<String, String> {
    let mut metadata = HashMap::new();
    if let Failure::Rejected(rejected) = failure {
        let named = rejected.metadata.iter();
        metadata.extend(named.map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
    if matches!(code, Code::Unavailable | Code::DeadlineExceeded) {
        let outcome = match outcome {
            Outcome::NotApplied => "NOT_APPLIED",
            Outcome::Unknown => "UNKNOWN",
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

/// Of something that is not there: its type in the contract, and the id under which it was sought.
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
