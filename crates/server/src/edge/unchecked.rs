//! Health and reflection, which need no credential and are not logged. Their messages have the
//! limits of all messages, and their streams have limits of their own. Check and List are never
//! refused for want of a place, because an orchestrator restarts a process whose probes fail.

use std::convert::Infallible;
use std::future::{self, Future};
use std::mem;
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
use super::{deadline, error_response, headers, not_grpc};
use crate::admission::{Admission, Place, Use};
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

/// The places of a stream of reflection, of which up to three responses are in memory, each with the
/// descriptor of a file.
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

    /// Returns a service of these routes alone.
    pub(crate) fn alone(
        routes: Routes,
        admission: Arc<Admission>,
        max_deadline: Duration,
    ) -> impl CallService {
        let unchecked = Self::new(routes, admission, max_deadline);
        service_fn(move |request: Request<Body>| match NotGrpc::of(&request) {
            Some(reason) => Either::Left(future::ready(Ok(unchecked.refuse(reason, &request)))),
            None => Either::Right(unchecked.respond(request)),
        })
    }

    pub(super) fn refuse(&self, reason: NotGrpc, request: &Request<Body>) -> Response<Body> {
        let method = self.0.methods.find(request.uri().path());
        not_grpc(reason, request, method, &self.0.admission)
    }

    /// Takes the place of a stream and then serves the request. The place is taken before the
    /// future exists, so that a refused stream costs no more than its response.
    pub(super) fn respond(
        &self,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Response<Body>, Infallible>> + Send + use<> {
        let connection = ClientConnection::of(request.extensions());
        let stream = match request.uri().path() {
            WATCH => Some(1),
            path if path.starts_with(REFLECTION_PREFIX) => Some(REFLECTION_PLACES),
            _ => None,
        };
        let place = stream.map(|size| self.0.admission.take(Use::Stream, size, &connection));
        if let Some(None) = place {
            let failure = Failure::TooManyStreams;
            let call_id = CallId::from_headers(request.headers());
            let response = self.fail(request.uri().path(), &call_id, &failure);
            return Either::Left(future::ready(Ok(self.hold_headers(response, &connection))));
        }
        let unchecked = self.clone();
        Either::Right(Box::pin(async move {
            let uri = request.uri().clone();
            let call_id = CallId::from_headers(request.headers());
            let result = unchecked.call(request, &connection, place.flatten()).await;
            let response =
                result.unwrap_or_else(|failure| unchecked.fail(uri.path(), &call_id, &failure));
            Ok(unchecked.hold_headers(response, &connection))
        }))
    }

    fn fail(&self, path: &str, call_id: &CallId, failure: &Failure) -> Response<Body> {
        let log = CallLog::start(self.0.methods.find(path), call_id, Instant::now());
        let mut response = error_response(log, failure, call_id, WriteOutcome::NotApplied);
        let headers = response.headers_mut();
        headers.insert(call_id::HEADER, call_id.to_header(None));
        response
    }

    /// Lets the headers of an error, which has no message, hold a place.
    fn hold_headers(
        &self,
        mut response: Response<Body>,
        connection: &ClientConnection,
    ) -> Response<Body> {
        if response.extensions().get::<Status>().is_some() {
            let call_id = CallId::from_headers(response.headers());
            let place = self.0.admission.take_for_response(connection);
            let headers = response.headers_mut();
            headers.insert(call_id::HEADER, call_id.to_header(place));
        }
        response
    }

    async fn call(
        &self,
        mut request: Request<Body>,
        connection: &ClientConnection,
        stream: Option<Place>,
    ) -> Result<Response<Body>, Failure> {
        headers::check(&request)?;
        let path = request.uri().path();
        if path.starts_with(REFLECTION_PREFIX) {
            return Ok(self.route(request, stream).await);
        }
        if self.0.methods.find(path).is_none() {
            // There is no such method, and its message is not read.
            return Ok(self.route(request, None).await);
        }
        self.read_message(&mut request, connection).await?;
        if stream.is_some() {
            return Ok(self.route(request, stream).await);
        }
        let mut response = self.route(request, None).await;
        match response.extensions().get::<Status>() {
            None => {
                let place = self.0.admission.take_for_response(connection);
                let body = mem::take(response.body_mut());
                *response.body_mut() = UnaryBody::read(body).await.hold(place);
                Ok(response)
            }
            // The protocol of health prescribes it for an unknown name.
            Some(status) if status.code() == Code::NotFound => Ok(response),
            Some(status) => Err(errors::from_tonic(status)),
        }
    }

    /// Replaces the body of the request by the complete message.
    async fn read_message(
        &self,
        request: &mut Request<Body>,
        connection: &ClientConnection,
    ) -> Result<(), Failure> {
        let began_at = Instant::now();
        let time = deadline::time_for_call(request.headers(), self.0.max_deadline)?;
        let reader = MessageReader {
            max_bytes: MAX_REQUEST_BYTES,
            place: self.0.admission.take(Use::Message, 1, connection),
            began_at,
            ends_at: began_at + time,
        };
        reader.replace_body(request).await.map(drop)
    }

    /// Calls the method. If it is a stream, its responses hold the place.
    async fn route(&self, request: Request<Body>, stream: Option<Place>) -> Response<Body> {
        let response = self.0.routes.clone().call(request).await;
        let response = response.unwrap_or_else(|never| match never {});
        match stream {
            Some(place) => response.map(|messages| StreamBody::wrap(messages, place)),
            None => response,
        }
    }
}
