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
/// is included if the code or the reason leaves that open.
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
        Failure::StoreFull(_) => {
            "the database is full: it stores nothing new until space is freed".to_owned()
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
    let is_open = matches!(code, Code::Unavailable | Code::DeadlineExceeded);
    if is_open || matches!(failure, Failure::StoreFull(_)) {
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
mod tests;
