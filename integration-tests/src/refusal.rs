//! What a refusal says beside its code.

use std::collections::HashMap;
use std::fmt::Debug;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// A refusal that says all that every refusal has to say.
#[derive(Debug)]
pub struct Refusal {
    /// The sentence.
    pub message: String,
    /// `ErrorInfo.metadata`.
    pub metadata: HashMap<String, String>,
    /// All details.
    pub details: ErrorDetails,
}

impl Refusal {
    /// A fact of the metadata; empty if it is not there.
    #[must_use]
    pub fn fact(&self, name: &str) -> &str {
        self.metadata.get(name).map_or("", String::as_str)
    }

    /// The fields that are wrong, in their order.
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<&str> {
        let wrong = self.details.bad_request().map(|bad| &bad.field_violations);
        let wrong = wrong.into_iter().flatten();
        wrong.map(|violation| violation.field.as_str()).collect()
    }
}

/// The code and the reason of a refusal; no reason if it does not say one.
#[track_caller]
pub fn code_and_reason<T: Debug>(answer: &Result<T, Status>) -> (Code, String) {
    let status = answer
        .as_ref()
        .expect_err("the call should have been refused");
    let info = status.get_details_error_info();
    (
        status.code(),
        info.map_or_else(String::new, |info| info.reason),
    )
}

/// Asserts that a call was refused with this code and this reason, and that the error carries
/// `ErrorInfo` of this domain and `RequestInfo`.
#[track_caller]
pub fn assert_rejected<T: Debug>(answer: Result<T, Status>, code: Code, reason: &str) -> Refusal {
    let found = code_and_reason(&answer);
    let status = answer.expect_err("it was refused");
    assert_eq!(found, (code, reason.to_owned()), "{}", status.message());
    let details = status.get_error_details();
    let info = details.error_info().expect("ErrorInfo");
    assert_eq!(info.domain, "startlist");
    let request = details.request_info().expect("RequestInfo");
    assert!(!request.request_id.is_empty(), "RequestInfo names the call");
    Refusal {
        message: status.message().to_owned(),
        metadata: info.metadata.clone(),
        details,
    }
}
