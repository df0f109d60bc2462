//! The one layer that every call passes, in this order:
//!
//! 1. `methods`: is there such a method, and who may call it.
//! 2. `call_id`: the call gets an id.
//! 3. `record`: its line in the log begins.
//! 4. `deadline`: how long it may take.
//! 5. `load`: a place among the calls in flight.
//! 6. [`auth`]: who is calling.
//! 7. The handler, in the service.
//! 8. [`errors`]: what failed gets its code and its details.
//!
//! One layer and not six, because the steps share what they know: the id stands in the answer, the
//! error and the log; the deadline covers the look-up of the caller; and a call that is refused early
//! gets the same answer and the same line as one that fails late. It also costs one future and not
//! six. Health and reflection pass by it: they need no credential, are not limited, and say nothing.

mod call_id;
mod deadline;
mod load;
mod methods;
mod record;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::convert::Infallible;
use std::mem;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::Either;
use http::{Request, Response};
use store::{Sessions, WriteOutcome, WriteTracker};
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tower::{Service, service_fn};

use crate::auth::{self, Access, AccessTable};
use crate::errors::{self, Failure};
use call_id::CallId;
use load::Load;
use methods::{Home, Method, Methods};
use record::Record;

/// What passes by: `grpc.health.v1` and `grpc.reflection`.
const OPEN: &str = "/grpc.";
const DIAGNOSTICS: &str = "startlist.diagnostics.v1.DiagnosticsService";
const DIAGNOSTICS_TABLE: AccessTable = &[("GetHealthReport", Access::Anyone)];

/// The layer, around a service and what is served beside it.
pub(crate) struct Edge<S> {
    methods: Methods,
    sessions: Sessions,
    max_deadline: Duration,
    load: Load,
    service: S,
    /// Health, reflection and diagnostics.
    beside: Routes,
}

/// What a service has to be for the edge: as tonic generates it, and always ready.
pub trait GrpcService:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
    + NamedService
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> GrpcService for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// The limits of the edge.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_deadline: Duration,
    pub(crate) max_calls: u32,
}

impl<S: GrpcService> Edge<S> {
    pub(crate) fn new(
        service: S,
        table: AccessTable,
        beside: Routes,
        sessions: Sessions,
        limits: Limits,
    ) -> Self {
        Self {
            methods: Methods::default().with(S::NAME, table, Home::Service).with(
                DIAGNOSTICS,
                DIAGNOSTICS_TABLE,
                Home::Beside,
            ),
            sessions,
            max_deadline: limits.max_deadline,
            load: Load::up_to(limits.max_calls),
            service,
            beside,
        }
    }

    /// The layer as a service, to be served.
    pub(crate) fn serve(
        self,
    ) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static {
        let edge = Arc::new(self);
        service_fn(move |request: Request<Body>| {
            if request.uri().path().starts_with(OPEN) {
                return Either::Left(edge.beside.clone().call(request));
            }
            // Here and not in the future: tonic starts its own timer, which answers CANCELLED, right
            // after this, and ours has to be the first to end.
            let began_at = Instant::now();
            // Some 3 KB with the look-up of the caller; in a box, so that tonic's layers hand a pointer
            // from one to the next (measured: 1.3 % fewer instructions a call).
            Either::Right(Box::pin(Arc::clone(&edge).call(request, began_at)))
        })
    }

    async fn call(
        self: Arc<Self>,
        mut request: Request<Body>,
        began_at: Instant,
    ) -> Result<Response<Body>, Infallible> {
        let method = self.methods.find(request.uri().path());
        let call_id = CallId::of(request.headers());
        let mut record = Record::begin(method, &call_id, began_at);

        let writes = WriteTracker::default();
        let answer = writes
            .follow(self.answer(method, &mut request, &mut record))
            .await;
        let outcome = writes.outcome();
        let mut response = match answer {
            Ok(mut response) => match response.extensions_mut().remove::<Status>() {
                None => {
                    record.succeeded();
                    response
                }
                Some(status) => match Failure::carried_by(&status) {
                    Some(failure) => refuse(record, failure, &call_id, outcome),
                    None => refuse(record, &errors::of_tonic(&status), &call_id, outcome),
                },
            },
            Err(failure) => refuse(record, &failure, &call_id, outcome),
        };
        response
            .headers_mut()
            .insert(call_id::HEADER, call_id.to_header());
        Ok(response)
    }

    async fn answer(
        &self,
        method: Option<&Method>,
        request: &mut Request<Body>,
        record: &mut Record<'_>,
    ) -> Result<Response<Body>, Failure> {
        let method = method.ok_or(Failure::UnknownMethod)?;
        let time = deadline::of(request.headers(), self.max_deadline)?;
        if time.is_zero() {
            return Err(Failure::DeadlineExceeded);
        }
        let _place = self.load.admit()?;
        let ends_at = record.began_at() + time;
        let answer = AssertUnwindSafe(self.reach(method, request, record)).catch_unwind();
        match timeout_at(ends_at, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(panic)) => Err(Failure::Internal(words_of(panic.as_ref()))),
            Err(_elapsed) => Err(Failure::DeadlineExceeded),
        }
    }

    /// The request is taken out of its place just before it goes on: handed from future to future it
    /// would have a place in each of them.
    async fn reach(
        &self,
        method: &Method,
        request: &mut Request<Body>,
        record: &mut Record<'_>,
    ) -> Result<Response<Body>, Failure> {
        let caller = auth::admit(method.access, request.headers(), &self.sessions).await?;
        if let Some(caller) = caller.map(Arc::new) {
            record.name(Arc::clone(&caller));
            request.extensions_mut().insert(caller);
        }
        let request = mem::take(request);
        let answer = match method.home {
            Home::Service => self.service.clone().call(request).await,
            Home::Beside => self.beside.clone().call(request).await,
        };
        Ok(answer.unwrap_or_else(|never| match never {}))
    }
}

fn refuse(
    record: Record<'_>,
    failure: &Failure,
    call_id: &CallId,
    outcome: WriteOutcome,
) -> Response<Body> {
    let answer = call_id.with_str(|id| errors::answer(failure, id, outcome));
    record.failed(failure, answer.status.code(), answer.reason);
    answer.status.into_http()
}

/// What a panic said, for the log.
fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a handler panicked: {}", words.unwrap_or("without a word"))
}
