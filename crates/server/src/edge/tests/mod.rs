//! The edge around a test service, without Redis: no server listens on its address.

mod log;
mod messages;
mod responses;

use std::sync::atomic::{AtomicUsize, Ordering};

use api::diagnostics::diagnostics_service_server::DiagnosticsServiceServer;
use domain::{InvalidFields, Rejection, Role, SessionToken, UserId};
use http::HeaderValue;
use http_body_util::Full;
use tonic::Code;
use tonic_types::{ErrorDetails, StatusExt};
use tower::ServiceExt;

use store::{Redis, UserStore};

use super::*;
use crate::MAX_MESSAGE_BYTES;
use crate::diagnostics::Diagnostics;
use crate::health::{Health, Identity, Probes};
use crate::testing::{Handler, HandlerFuture};

const TABLE: AccessTable = &[
    ("Open", Access::Anyone, Rate::Unlimited),
    ("OfUsers", Access::User, Rate::Changes),
    ("OfViewers", Access::Admin(Role::Viewer), Rate::Unlimited),
    ("OfOwners", Access::OwnerOrBootstrap, Rate::Changes),
];

struct CallResult {
    response: Response<Body>,
    /// How often the handler was called.
    calls: usize,
}

impl CallResult {
    fn call_id(&self) -> &str {
        let id = &self.response.headers()[call_id::HEADER];
        id.to_str().expect("text")
    }

    fn code(&self) -> Code {
        self.status().map_or(Code::Ok, |status| status.code())
    }

    fn status(&self) -> Option<Status> {
        Status::from_header_map(self.response.headers())
    }

    fn details(&self) -> ErrorDetails {
        self.status().expect("an error").get_error_details()
    }

    fn reason(&self) -> String {
        self.details()
            .error_info()
            .expect("ErrorInfo")
            .reason
            .clone()
    }

    fn write_outcome(&self) -> Option<String> {
        let details = self.details();
        let info = details.error_info().expect("ErrorInfo");
        info.metadata.get("outcome").cloned()
    }
}

const MAX_DEADLINE: Duration = Duration::from_secs(30);

async fn succeed() -> Result<(), Failure> {
    Ok(())
}

async fn endless() -> Result<(), Failure> {
    std::future::pending().await
}

/// Returns a request with an empty message.
fn request(path: &str, headers: &[(&'static str, &str)]) -> Request<Body> {
    let mut request = Request::new(Body::new(Full::from(frame(0, &[]))));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = path.parse().expect("a path");
    let grpc = HeaderValue::from_static("application/grpc");
    request.headers_mut().insert("content-type", grpc);
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).expect("a value");
        request.headers_mut().insert(*name, value);
    }
    request
}

fn edge(handler: Handler, max_calls: u32) -> Edge<Handler> {
    let redis = Redis::new("redis://127.0.0.1:1", None).expect("a URL");
    let sessions = UserStore::new(&redis).sessions();
    let identity = Identity {
        name: "test-service",
        service: Handler::NAME,
    };
    let probes = Probes {
        redis: Arc::new(|| Box::pin(async { Err(crate::health::CheckError::Down("no Redis")) })),
        peer: None,
    };
    let health = Health::new(identity, probes);
    let auxiliary = Routes::new(health.service());
    let auxiliary = auxiliary.add_service(Diagnostics::service(health));
    let limits = Limits {
        max_deadline: MAX_DEADLINE,
        changes_per_minute: 0,
    };
    let admission = Admission::new(max_calls);
    Edge::new(handler, TABLE, auxiliary, sessions, admission, limits)
}

async fn send<F: HandlerFuture>(
    act: impl Fn() -> F + Send + Sync + 'static,
    max_calls: u32,
    request: Request<Body>,
) -> CallResult {
    let handler = Handler::new(act);
    let calls = Arc::clone(&handler.calls);
    let response = edge(handler, max_calls)
        .into_service()
        .oneshot(request)
        .await;
    CallResult {
        response: response.unwrap_or_else(|never| match never {}),
        calls: calls.load(Ordering::Relaxed),
    }
}

async fn call<F: HandlerFuture>(
    act: impl Fn() -> F + Send + Sync + 'static,
    method: &str,
    headers: &[(&'static str, &str)],
) -> CallResult {
    let path = format!("/{}/{method}", Handler::NAME);
    send(act, 100, request(&path, headers)).await
}

fn user_token() -> String {
    let id = UserId::parse("ada-1815").expect("an id");
    format!("Bearer {}", SessionToken::of_user(&id, &[7; 32]).expose())
}

#[tokio::test]
async fn the_response_has_the_id_that_the_client_sent() {
    let result = call(succeed, "Open", &[("x-request-id", "mine-1")]).await;
    assert_eq!((result.code(), result.calls), (Code::Ok, 1));
    assert_eq!(result.call_id(), "mine-1");
}

#[tokio::test]
async fn a_call_without_an_id_gets_one_that_its_error_has_too() {
    let result = call(async || Err(Rejection::EmailTaken.into()), "Open", &[]).await;
    let details = result.details();
    let named = &details.request_info().expect("RequestInfo").request_id;
    assert_eq!(named, result.call_id());
    assert_eq!(named.len(), 36);
}

#[tokio::test]
async fn a_failure_of_a_handler_reaches_the_client_with_its_details() {
    let refuse = async || Err(InvalidFields::one("title", &"must be set").into());
    let result = call(refuse, "Open", &[]).await;
    assert_eq!(result.code(), Code::InvalidArgument);
    assert_eq!(result.reason(), "INVALID_FIELDS");
    let details = result.details();
    let wrong = details.bad_request().expect("BadRequest");
    assert_eq!(wrong.field_violations[0].field, "title");
    assert_eq!(
        result.response.headers()["content-type"],
        "application/grpc"
    );
}

#[tokio::test]
async fn a_method_without_a_row_is_not_served() {
    let result = call(succeed, "Forgotten", &[("authorization", &user_token())]).await;
    assert_eq!((result.code(), result.calls), (Code::Unimplemented, 0));
    assert_eq!(result.reason(), "UNKNOWN_METHOD");
    assert!(result.details().request_info().is_some());
}

#[tokio::test]
async fn all_invalid_credentials_get_the_same_error() {
    let damaged = format!("{}x", user_token());
    let basic = user_token().replace("Bearer", "Basic");
    let mut sentences = Vec::new();
    for (method, credential) in [
        ("OfUsers", None),
        ("OfUsers", Some("")),
        ("OfUsers", Some("Bearer")),
        ("OfUsers", Some("Bearer ")),
        ("OfUsers", Some(damaged.as_str())),
        ("OfUsers", Some(basic.as_str())),
        ("OfViewers", Some(user_token().as_str())),
        ("OfOwners", Some(user_token().as_str())),
    ] {
        let headers: Vec<_> = credential
            .map(|text| ("authorization", text))
            .into_iter()
            .collect();
        let result = call(succeed, method, &headers).await;
        assert_eq!(
            (result.code(), result.calls),
            (Code::Unauthenticated, 0),
            "{credential:?}"
        );
        assert_eq!(result.reason(), "UNAUTHENTICATED");
        sentences.push(result.status().expect("an error").message().to_owned());
    }
    sentences.dedup();
    assert_eq!(sentences.len(), 1);
}

#[tokio::test]
async fn a_method_for_anyone_ignores_the_credential() {
    let result = call(succeed, "Open", &[("authorization", "Bearer nonsense")]).await;
    assert_eq!((result.code(), result.calls), (Code::Ok, 1));
}

#[tokio::test]
async fn without_redis_only_calls_with_a_credential_fail() {
    let result = call(succeed, "OfUsers", &[("authorization", &user_token())]).await;
    assert_eq!((result.code(), result.calls), (Code::Unavailable, 0));
    assert_eq!(result.reason(), "STORE_UNAVAILABLE");
    assert_eq!(result.write_outcome().as_deref(), Some("NOT_APPLIED"));
    assert!(result.details().retry_info().is_some());
    let status = result.status().expect("an error");
    assert!(
        !status.message().contains("127.0.0.1"),
        "{}",
        status.message()
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_the_deadline_of_its_client() {
    let began_at = Instant::now();
    let result = call(endless, "Open", &[("grpc-timeout", "200m")]).await;
    assert_eq!((result.code(), result.calls), (Code::DeadlineExceeded, 1));
    assert_eq!(result.write_outcome().as_deref(), Some("NOT_APPLIED"));
    assert!(began_at.elapsed() <= Duration::from_millis(200));
    assert!(began_at.elapsed() >= Duration::from_millis(180));
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_the_deadline_of_the_server_at_the_latest() {
    for headers in [&[][..], &[("grpc-timeout", "1H")]] {
        let began_at = Instant::now();
        let result = call(endless, "Open", headers).await;
        assert_eq!(result.code(), Code::DeadlineExceeded);
        assert_eq!(began_at.elapsed().as_secs(), MAX_DEADLINE.as_secs());
    }
}

#[tokio::test]
async fn a_call_whose_deadline_has_passed_on_arrival_reaches_neither_redis_nor_the_handler() {
    let token = user_token();
    for timeout in ["0m", "1u", "999u", "1n"] {
        // A lookup of the caller would fail, because there is no Redis.
        for method in ["Open", "OfUsers"] {
            let headers = [("grpc-timeout", timeout), ("authorization", &token)];
            let result = call(succeed, method, &headers).await;
            assert_eq!((result.code(), result.calls), (Code::DeadlineExceeded, 0));
            assert_eq!(result.write_outcome().as_deref(), Some("NOT_APPLIED"));
        }
    }
}

#[tokio::test]
async fn an_invalid_timeout_is_an_error_of_the_client() {
    let result = call(succeed, "Open", &[("grpc-timeout", "soon")]).await;
    assert_eq!((result.code(), result.calls), (Code::InvalidArgument, 0));
    assert_eq!(result.reason(), "MALFORMED_MESSAGE");
}

#[tokio::test]
async fn calls_over_the_limit_fail_but_not_health() {
    let path = format!("/{}/Open", Handler::NAME);
    let result = send(succeed, 0, request(&path, &[])).await;
    assert_eq!((result.code(), result.calls), (Code::ResourceExhausted, 0));
    assert_eq!(result.reason(), "OVERLOADED");
    assert!(result.details().retry_info().is_some());

    let result = send(succeed, 0, message("/grpc.health.v1.Health/Check", &[])).await;
    assert_eq!(result.code(), Code::Ok);
}

#[tokio::test]
async fn a_call_in_flight_counts_until_it_ends() {
    let called = Arc::new(AtomicUsize::new(0));
    let handler = Handler::new({
        let called = Arc::clone(&called);
        move || {
            let is_first = called.fetch_add(1, Ordering::Relaxed) == 0;
            async move {
                if is_first {
                    endless().await
                } else {
                    succeed().await
                }
            }
        }
    });
    let edge = edge(handler, 1).into_service();
    let path = format!("/{}/Open", Handler::NAME);
    let send = async || {
        let response = edge.clone().oneshot(request(&path, &[])).await;
        let response = response.unwrap_or_else(|never| match never {});
        Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code())
    };
    let mut in_flight = Box::pin(send());
    assert!(futures::poll!(&mut in_flight).is_pending());
    assert_eq!(send().await, Code::ResourceExhausted);
    drop(in_flight);
    assert_eq!(send().await, Code::Ok);
}

#[tokio::test]
async fn a_panic_in_a_handler_is_internal_and_its_message_is_not_sent() {
    let result = call(async || panic!("ada@example.org"), "Open", &[]).await;
    assert_eq!(result.code(), Code::Internal);
    assert_eq!(result.reason(), "INTERNAL");
    let status = result.status().expect("an error");
    assert!(!status.message().contains("ada"), "{}", status.message());
}

/// Returns a message with its prefix.
fn frame(flag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("short");
    [&[flag][..], &length.to_be_bytes(), content].concat()
}

/// Returns a request with one message.
fn message(path: &str, content: &[u8]) -> Request<Body> {
    with_body(path, frame(0, content))
}

fn with_body(path: &str, body: Vec<u8>) -> Request<Body> {
    request(path, &[]).map(|_| Body::new(Full::from(body)))
}

fn report_path() -> String {
    let name = DiagnosticsServiceServer::<Diagnostics>::NAME;
    assert_eq!(name, DIAGNOSTICS);
    format!("/{name}/GetHealthReport")
}

#[tokio::test]
async fn the_health_report_needs_no_credential() {
    let result = send(succeed, 100, message(&report_path(), &[8, 1])).await;
    assert_eq!(result.code(), Code::Ok);
}

#[tokio::test]
async fn a_malformed_message_is_an_error_of_the_client() {
    let result = send(succeed, 100, message(&report_path(), &[0xff])).await;
    assert_eq!(result.code(), Code::InvalidArgument);
    assert_eq!(result.reason(), "MALFORMED_MESSAGE");
}

#[tokio::test]
async fn a_message_above_the_limit_is_resource_exhausted() {
    let result = send(
        succeed,
        100,
        message(&report_path(), &vec![0; MAX_MESSAGE_BYTES + 1]),
    )
    .await;
    assert_eq!(result.code(), Code::ResourceExhausted);
    assert_eq!(result.reason(), "MESSAGE_TOO_LARGE");
}

#[tokio::test]
async fn health_passes_by_the_edge() {
    let result = send(succeed, 100, message("/grpc.health.v1.Health/Check", &[])).await;
    assert_eq!(result.code(), Code::Ok);
    assert!(!result.response.headers().contains_key(call_id::HEADER));
}
