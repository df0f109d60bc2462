//! What the log says of a call: one line, when it ends.

use std::sync::Arc;

use tokio::time::Instant;
use tonic::Code;
use tracing::{Level, event};

use super::call_id::CallId;
use super::methods::{Home, Method};
use crate::auth::Caller;
use crate::errors::{Failure, word};

/// A call that has begun. Dropped before its end, it was given up by the client.
pub(super) struct Record<'a> {
    /// `None` if there is no such method: what a client made up does not get into the log.
    method: Option<&'a Method>,
    call_id: &'a CallId,
    began_at: Instant,
    caller: Option<Arc<Caller>>,
    has_ended: bool,
}

macro_rules! line {
    ($level:expr, $record:expr, $code:expr, $($more:tt)*) => {
        $record.call_id.with_str(|request_id| event!(
            target: "call",
            $level,
            method = $record.method.map_or("unknown", Method::name),
            code = word($code),
            duration_ms = $record.duration_ms(),
            request_id,
            caller = $record.caller.as_ref().map(|caller| caller.id()),
            $($more)*
        ))
    };
}

impl<'a> Record<'a> {
    pub(super) fn begin(
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

    pub(super) fn name(&mut self, caller: Arc<Caller>) {
        self.caller = Some(caller);
    }

    pub(super) fn succeeded(mut self) {
        self.end(Code::Ok, None);
    }

    /// The only place where a failure is logged. The detail of what is not the client's doing stands
    /// here, and nowhere else.
    pub(super) fn failed(mut self, failure: &Failure, code: Code, reason: &'static str) {
        self.has_ended = true;
        match failure {
            Failure::Internal(_) => {
                line!(
                    Level::ERROR,
                    self,
                    code,
                    reason,
                    detail = failure.to_string()
                );
            }
            Failure::Unavailable(_) => {
                line!(
                    Level::WARN,
                    self,
                    code,
                    reason,
                    detail = failure.to_string()
                );
            }
            _ => self.end(code, Some(reason)),
        }
    }

    fn end(&mut self, code: Code, reason: Option<&'static str>) {
        self.has_ended = true;
        if self
            .method
            .is_none_or(|method| method.home == Home::Service)
        {
            line!(Level::INFO, self, code, reason);
        } else {
            line!(Level::DEBUG, self, code, reason);
        }
    }

    /// In thousandths of a millisecond, so that no digit is noise.
    fn duration_ms(&self) -> f64 {
        (self.began_at.elapsed().as_secs_f64() * 1e6).round() / 1e3
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end(Code::Cancelled, None);
        }
    }
}
