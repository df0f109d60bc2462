//! The one table from failures to gRPC codes.
//!
//! No other file gives a failure its code. Outside of `errors`, codes are named only by
//! `health::service` (the protocol prescribes `NOT_FOUND`), by `health::peer` and `health::probe`
//! (they read the codes of other servers), and by `edge::call_log` (OK, and CANCELLED by the
//! client).

use std::time::Duration;

use domain::Rejection;
use tonic::{Code, Status};

use super::Failure;

/// The `domain` of every `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "startlist";

/// When a call is worth retrying after Redis could not be reached: a failover takes seconds.
const STORE_RETRY_AFTER: Duration = Duration::from_secs(1);
/// When a call is worth retrying after Redis was out of memory: an operator has to enlarge it, or
/// users or records with an end have to go.
const FULL_STORE_RETRY_AFTER: Duration = Duration::from_secs(30);

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) code: Code,
    /// `ErrorInfo.reason`.
    pub(super) reason: &'static str,
    /// `RetryInfo.retry_delay`.
    pub(super) retry_after: Option<Duration>,
}

impl Row {
    fn new(code: Code, reason: &'static str) -> Self {
        Self {
            code,
            reason,
            retry_after: None,
        }
    }

    fn retry_after(self, delay: Duration) -> Self {
        Self {
            retry_after: Some(delay),
            ..self
        }
    }
}

pub(super) fn row(failure: &Failure) -> Row {
    match failure {
        Failure::Invalid(_) => Row::new(Code::InvalidArgument, "INVALID_FIELDS"),
        Failure::Malformed(_) => Row::new(Code::InvalidArgument, "MALFORMED_MESSAGE"),
        Failure::MessageTooLarge => Row::new(Code::ResourceExhausted, "MESSAGE_TOO_LARGE"),
        Failure::Compressed(_) => Row::new(Code::Unimplemented, "UNKNOWN_COMPRESSION"),
        Failure::HeadersTooLarge => Row::new(Code::ResourceExhausted, "HEADERS_TOO_LARGE"),
        Failure::Cancelled => Row::new(Code::Cancelled, "CANCELLED"),
        Failure::MessageTimeout => Row::new(Code::DeadlineExceeded, "MESSAGE_TIMEOUT"),
        Failure::TooManyStreams => Row::new(Code::ResourceExhausted, "TOO_MANY_STREAMS"),
        Failure::UnknownMethod => Row::new(Code::Unimplemented, "UNKNOWN_METHOD"),
        Failure::DeadlineExceeded => Row::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
        Failure::Unavailable(_) => {
            Row::new(Code::Unavailable, "STORE_UNAVAILABLE").retry_after(STORE_RETRY_AFTER)
        }
        Failure::StoreFull(_) => {
            Row::new(Code::ResourceExhausted, "STORE_FULL").retry_after(FULL_STORE_RETRY_AFTER)
        }
        Failure::Internal(_) => Row::new(Code::Internal, "INTERNAL"),
        Failure::Rejected(rejected) => rejection_row(&rejected.rejection),
    }
}

fn rejection_row(rejection: &Rejection) -> Row {
    let code = match rejection {
        Rejection::RequestIdReused => Code::InvalidArgument,
        Rejection::Unauthenticated => Code::Unauthenticated,
        Rejection::PermissionDenied => Code::PermissionDenied,
        Rejection::CompetitionNotFound
        | Rejection::UserNotFound
        | Rejection::AdminNotFound
        | Rejection::NotRegistered => Code::NotFound,
        Rejection::CompetitionFull { .. }
        | Rejection::RegistrationNotOpenYet { .. }
        | Rejection::RegistrationClosed { .. }
        | Rejection::CompetitionCancelled
        | Rejection::CompetitionStarted { .. }
        | Rejection::RemovedByOrganiser
        | Rejection::CapacityBelowConfirmed { .. }
        | Rejection::CompetitionNotPublished
        | Rejection::CompetitionNotDraft
        | Rejection::LastOwner => Code::FailedPrecondition,
        Rejection::AlreadyRegistered | Rejection::EmailTaken | Rejection::CompetitionIdTaken => {
            Code::AlreadyExists
        }
        Rejection::EtagMismatch => Code::Aborted,
        Rejection::TooManySignUps { retry_after }
        | Rejection::TooManySignIns { retry_after }
        | Rejection::TooManyChanges { retry_after }
        | Rejection::Overloaded { retry_after } => {
            return Row::new(Code::ResourceExhausted, rejection.reason()).retry_after(*retry_after);
        }
    };
    Row::new(code, rejection.reason())
}

/// Converts an error of tonic itself, which it returns before or instead of the handler.
///
/// tonic returns `OUT_OF_RANGE` for a message above the limit; all other gRPC implementations, and
/// so the retry policies of clients, use `RESOURCE_EXHAUSTED`. It returns INTERNAL for a message
/// that cannot be decoded, which is a mistake of the client.
pub(crate) fn from_tonic(status: &Status) -> Failure {
    let sentence = || status.message().to_owned();
    match status.code() {
        Code::OutOfRange | Code::ResourceExhausted => Failure::MessageTooLarge,
        Code::Internal => Failure::Malformed(sentence()),
        Code::Unimplemented if status.message().is_empty() => Failure::UnknownMethod,
        Code::Unimplemented => Failure::Compressed(sentence()),
        code => Failure::Internal(format!("tonic returned {code:?}: {}", status.message())),
    }
}

/// Returns the standard name of a code, for the log.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
