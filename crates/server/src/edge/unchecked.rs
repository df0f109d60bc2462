//! Health and reflection, which need no credential and are not logged. Their messages have the
//! limits of all messages, and their streams have limits of their own. Check and List are never
//! refused for want of a place, because an orchestrator restarts a process whose probes fail.

use std::convert::Infallible;
use std::future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::Either;
use http::{Request, Response};
use store::WriteOutcome;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::{Service, service_fn};

use super::call_id::{self, CallId};
use super::call_log::CallLog;
use super::message::MessageReader;
use super::methods::{MethodTable, ServedBy};
use super::protocol::NotGrpc;
use super::response::{StreamBody, UnaryBody};
use super::{compression, deadline, error_response, headers, not_grpc};
use crate::admission::{Admission, Use};
use crate::auth::{Access, AccessTable};
use crate::changes::Rate;
use crate::connections::{CallService, ClientConnection};
use crate::errors::{self, Failure};
use crate::health::MAX_REQUEST_BYTES;

const HEALTH: &str = "grpc.health.v1.Health";
const WATCH: &str = "/grpc.health.v1.Health/Watch";
const HEALTH_TABLE: AccessTable = &[
    ("Check", Access::Anyone, Rate::Unlimited),
    ("List", Access::Anyone, Rate::Unlimited),
    ("Watch", Access::Anyone, Rate::Unlimited),
];

const REFLECTION_PREFIX: &str = "/grpc.reflection.";

/// The places of a stream of reflection: up to three responses of it are in memory, with the
/// descriptor of a file each (measured: see `a_stream_of_reflection_takes_more_places`).
const REFLECTION_PLACES: u32 = 16;

/// Health and reflection, with their limits.
#[derive(Clone)]
pub(crate) struct Unchecked(Arc<Inner>);

struct Inner {
    methods: MethodTable,
    routes: Routes,
    admission: Arc<Admission>,
    max_deadline: Duration,
}

impl Unchecked {
    pub(super) fn new(routes: Routes, admission: Arc<Admission>, max_deadline: Duration) -> Self {
        Self(Arc::new(Inner {
            methods: MethodTable::default().with_service(HEALTH, HEALTH_TABLE, ServedBy::Auxiliary),
            routes,
            admission,
            max_deadline,
        }))
    }

    /// Returns a service of these routes alone, with limits of its own.
    pub(crate) fn alone(routes: Routes, max_deadline: Duration) -> impl CallService {
        let unchecked = Self::new(routes, Admission::new(0), max_deadline);
        service_fn(move |request: Request<Body>| match NotGrpc::of(&request) {
            Some(reason) => Either::Left(future::ready(Ok(unchecked.refuse(reason, &request)))),
            None => Either::Right(unchecked.clone().respond(request)),
        })
    }

    pub(super) fn refuse(&self, reason: NotGrpc, request: &Request<Body>) -> Response<Body> {
        let method = self.0.methods.find(request.uri().path());
        not_grpc(reason, request, method, &self.0.admission)
    }

    pub(super) async fn respond(
        self,
        request: Request<Body>,
    ) -> Result<Response<Body>, Infallible> {
        let connection = ClientConnection::of(request.extensions());
        let call_id = CallId::from_headers(request.headers());
        let began_at = Instant::now();
        let path = request.uri().path();
        let method = self.0.methods.find(path);
        let result = if let Err(failure) = headers::check(&request) {
            Err(failure)
        } else if path.starts_with(REFLECTION_PREFIX) {
            self.stream(request, &connection, REFLECTION_PLACES).await
        } else if method.is_none() {
            // There is no such method, and its message is not read.
            Ok(self.route(request).await)
        } else {
            self.call(request, &connection, began_at).await
        };
        let mut response = result.unwrap_or_else(|failure| {
            let log = CallLog::start(method, &call_id, began_at);
            error_response(log, &failure, &call_id, WriteOutcome::NotApplied)
        });
        if response.extensions().get::<Status>().is_some() {
            let place = self.0.admission.take_for_response(&connection);
            let headers = response.headers_mut();
            headers.insert(call_id::HEADER, call_id.to_header(place));
        }
        Ok(response)
    }

    /// Reads the message of a method of health, and calls the method.
    async fn call(
        &self,
        mut request: Request<Body>,
        connection: &ClientConnection,
        began_at: Instant,
    ) -> Result<Response<Body>, Failure> {
        let time = deadline::time_for_call(request.headers(), self.0.max_deadline)?;
        let reader = MessageReader {
            max_bytes: MAX_REQUEST_BYTES,
            admission: &self.0.admission,
            connection,
            began_at,
            ends_at: began_at + time,
        };
        let body = std::mem::take(request.body_mut());
        let message = reader.read(request.headers(), body).await?;
        compression::strip(request.headers_mut());
        *request.body_mut() = UnaryBody::of_message(message);
        if request.uri().path() == WATCH {
            return self.stream(request, connection, 1).await;
        }
        let mut response = self.route(request).await;
        match response.extensions().get::<Status>() {
            None => {
                let place = self.0.admission.take_for_response(connection);
                let body = std::mem::take(response.body_mut());
                *response.body_mut() = UnaryBody::read(body).await.hold(place);
                Ok(response)
            }
            // The protocol of health prescribes it for an unknown name.
            Some(status) if status.code() == Code::NotFound => Ok(response),
            Some(status) => Err(errors::from_tonic(status)),
        }
    }

    async fn stream(
        &self,
        request: Request<Body>,
        connection: &ClientConnection,
        size: u32,
    ) -> Result<Response<Body>, Failure> {
        let place = self.0.admission.take(Use::Stream, size, connection);
        let place = place.ok_or(Failure::TooManyStreams)?;
        let response = self.route(request).await;
        Ok(response.map(|messages| StreamBody::wrap(messages, place)))
    }

    async fn route(&self, request: Request<Body>) -> Response<Body> {
        let response = self.0.routes.clone().call(request).await;
        response.unwrap_or_else(|never| match never {})
    }
}
