//! The reasons of refusals and their gRPC codes, as the contract has them. Written by hand and not
//! taken from the services, so that a change of either is noticed.

use tonic::Code;

/// The code and `ErrorInfo.reason` of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    pub code: Code,
    pub name: &'static str,
}

macro_rules! reasons {
    ($($name:ident: $code:ident,)*) => {
        $(#[allow(missing_docs)] pub const $name: Reason = Reason {
            code: Code::$code,
            name: stringify!($name),
        };)*
    };
}

reasons! {
    INVALID_FIELDS: InvalidArgument,
    MALFORMED_MESSAGE: InvalidArgument,
    REQUEST_ID_REUSED: InvalidArgument,
    UNAUTHENTICATED: Unauthenticated,
    PERMISSION_DENIED: PermissionDenied,
    COMPETITION_NOT_FOUND: NotFound,
    USER_NOT_FOUND: NotFound,
    ADMIN_NOT_FOUND: NotFound,
    NOT_REGISTERED: NotFound,
    ALREADY_REGISTERED: AlreadyExists,
    EMAIL_TAKEN: AlreadyExists,
    COMPETITION_ID_TAKEN: AlreadyExists,
    COMPETITION_FULL: FailedPrecondition,
    REGISTRATION_NOT_OPEN_YET: FailedPrecondition,
    REGISTRATION_CLOSED: FailedPrecondition,
    COMPETITION_CANCELLED: FailedPrecondition,
    COMPETITION_STARTED: FailedPrecondition,
    REMOVED_BY_ORGANISER: FailedPrecondition,
    CAPACITY_BELOW_CONFIRMED: FailedPrecondition,
    COMPETITION_NOT_PUBLISHED: FailedPrecondition,
    COMPETITION_NOT_DRAFT: FailedPrecondition,
    LAST_OWNER: FailedPrecondition,
    ETAG_MISMATCH: Aborted,
    MESSAGE_TOO_LARGE: ResourceExhausted,
    HEADERS_TOO_LARGE: ResourceExhausted,
    TOO_MANY_CHANGES: ResourceExhausted,
    TOO_MANY_SIGN_INS: ResourceExhausted,
    TOO_MANY_SIGN_UPS: ResourceExhausted,
    OVERLOADED: ResourceExhausted,
    UNKNOWN_METHOD: Unimplemented,
    DEADLINE_EXCEEDED: DeadlineExceeded,
    MESSAGE_TIMEOUT: DeadlineExceeded,
    UNKNOWN_COMPRESSION: Unimplemented,
    STORE_UNAVAILABLE: Unavailable,
    STORE_FULL: ResourceExhausted,
}
