//! The contents of a refusal besides its code.

use std::collections::HashMap;
use std::fmt::Debug;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::Reason;

/// A refusal with everything that each refusal must have.
#[derive(Debug)]
pub struct Refusal {
    /// The sentence for the client.
    pub message: String,
    pub metadata: HashMap<String, String>,
    pub details: ErrorDetails,
}

impl Refusal {
    /// A value of the metadata; empty if it is absent.
    #[must_use]
    pub fn fact(&self, name: &str) -> &str {
        self.metadata.get(name).map_or("", String::as_str)
    }

    /// The paths of the wrong fields, in the order of the reply.
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<&str> {
        let wrong = self.details.bad_request().map(|bad| &bad.field_violations);
        let wrong = wrong.into_iter().flatten();
        wrong.map(|violation| violation.field.as_str()).collect()
    }
}

/// The code and the reason of a refusal; the reason is empty if the error has none.
#[track_caller]
pub fn code_and_reason<T: Debug>(reply: &Result<T, Status>) -> (Code, String) {
    let status = reply.as_ref().expect_err("the call should be refused");
    let info = status.get_details_error_info();
    (
        status.code(),
        info.map_or_else(String::new, |info| info.reason),
    )
}

/// Asserts that a call was refused for this reason, and that the error carries `ErrorInfo` of the
/// domain `startlist` and `RequestInfo`.
#[track_caller]
pub fn assert_rejected<T: Debug>(reply: Result<T, Status>, reason: Reason) -> Refusal {
    let found = code_and_reason(&reply);
    let status = reply.expect_err("the call was refused");
    let expected = (reason.code, reason.name.to_owned());
    assert_eq!(found, expected, "{}", status.message());
    let details = status.get_error_details();
    let info = details.error_info().expect("ErrorInfo");
    assert_eq!(info.domain, "startlist");
    let request = details.request_info().expect("RequestInfo");
    assert!(
        !request.request_id.is_empty(),
        "RequestInfo has the id of the call"
    );
    Refusal {
        message: status.message().to_owned(),
        metadata: info.metadata.clone(),
        details,
    }
}
