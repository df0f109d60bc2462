//! The log of calls: one line for each, when it ends.

use std::sync::Arc;

use tokio::time::Instant;
use tonic::Code;
use tracing::{Level, event};

use super::call_id::CallId;
use super::methods::{Method, ServedBy};
use crate::auth::Caller;
use crate::errors::{Failure, code_name};

/// A call that has begun. If it is dropped before its end, the client has cancelled the call.
pub(super) struct CallLog<'a> {
    /// `None` if there is no such method. A path that a client made up is not logged.
    method: Option<&'a Method>,
    call_id: &'a CallId,
    began_at: Instant,
    caller: Option<Arc<Caller>>,
    has_ended: bool,
}

// A macro, because `event!` needs the level at compile time.
macro_rules! line {
    ($level:expr, $call:expr, $code:expr, $($more:tt)*) => {
        $call.call_id.with_str(|request_id| event!(
            target: "call",
            $level,
            method = $call.method.map_or("unknown", Method::name),
            code = code_name($code),
            duration_ms = $call.duration_ms(),
            request_id,
            caller = $call.caller.as_ref().map(|caller| caller.id()),
            $($more)*
        ))
    };
}

impl<'a> CallLog<'a> {
    pub(super) fn start(
        method: Option<&'a Method>,
        call_id: &'a CallId,
        began_at: Instant,
    ) -> Self {
        Self {
            method,
            call_id,
            began_at,
            caller: None,
            has_ended: false,
        }
    }

    pub(super) fn began_at(&self) -> Instant {
        self.began_at
    }

    pub(super) fn set_caller(&mut self, caller: Arc<Caller>) {
        self.caller = Some(caller);
    }

    pub(super) fn succeeded(mut self) {
        self.end(Code::Ok, None);
    }

    /// Logs a failure, which is done nowhere else. Only here the detail of a failure that is not
    /// the client's is written.
    pub(super) fn failed(mut self, failure: &Failure, code: Code, reason: &'static str) {
        self.has_ended = true;
        let detail = || failure.to_string();
        match failure {
            Failure::Internal(_) => line!(Level::ERROR, self, code, reason, detail = detail()),
            Failure::Unavailable(_) | Failure::StoreFull(_) => {
                line!(Level::WARN, self, code, reason, detail = detail());
            }
            _ => self.end(code, Some(reason)),
        }
    }

    /// Logs a request that is no call of gRPC. Its response has a status of HTTP, which clients of
    /// gRPC report as UNKNOWN.
    pub(super) fn not_a_call(mut self, reason: &'static str) {
        self.has_ended = true;
        line!(Level::INFO, self, Code::Unknown, reason);
    }

    fn end(&mut self, code: Code, reason: Option<&'static str>) {
        self.has_ended = true;
        let served_by = self.method.map(|method| method.served_by);
        if served_by == Some(ServedBy::Auxiliary) {
            line!(Level::DEBUG, self, code, reason);
        } else {
            line!(Level::INFO, self, code, reason);
        }
    }

    /// Rounded to microseconds, the precision of the measurement.
    fn duration_ms(&self) -> f64 {
        (self.began_at.elapsed().as_secs_f64() * 1e6).round() / 1e3
    }
}

impl Drop for CallLog<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end(Code::Cancelled, None);
        }
    }
}
