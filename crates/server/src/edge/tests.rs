//! The edge around a service of three lines, without Redis: nobody listens where the store looks.

mod lines;

use std::sync::atomic::Ordering;

use api::diagnostics::diagnostics_service_server::DiagnosticsServiceServer;
use domain::{InvalidFields, Rejection, Role, SessionToken, UserId};
use http::HeaderValue;
use tonic::Code;
use tonic_types::{ErrorDetails, StatusExt};
use tower::ServiceExt;

use store::{Redis, UserStore};

use super::*;
use crate::MAX_MESSAGE_BYTES;
use crate::diagnostics::Diagnostics;
use crate::health::{Health, Identity, Probes};
use crate::testing::{Answered, Handler};

const TABLE: AccessTable = &[
    ("Open", Access::Anyone),
    ("OfUsers", Access::User),
    ("OfViewers", Access::Admin(Role::Viewer)),
    ("OfOwners", Access::OwnerOrBootstrap),
];

/// What a client reads, and how often the handler was reached.
struct Answer {
    response: Response<Body>,
    calls: usize,
}

impl Answer {
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

    fn outcome(&self) -> Option<String> {
        let details = self.details();
        let info = details.error_info().expect("ErrorInfo");
        info.metadata.get("outcome").cloned()
    }
}

const MAX_DEADLINE: Duration = Duration::from_secs(30);

async fn good() -> Result<(), Failure> {
    Ok(())
}

async fn endless() -> Result<(), Failure> {
    std::future::pending().await
}

fn request(path: &str, headers: &[(&'static str, &str)]) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = path.parse().expect("a path");
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
        redis: Arc::new(|| Box::pin(async { Err("nobody listens") })),
        peer: None,
    };
    let health = Health::new(identity, probes);
    let beside = Routes::new(health.service());
    let beside = beside.add_service(Diagnostics::service(health));
    let limits = Limits {
        max_deadline: MAX_DEADLINE,
        max_calls,
    };
    Edge::new(handler, TABLE, beside, sessions, limits)
}

async fn send<F: Answered>(
    act: impl Fn() -> F + Send + Sync + 'static,
    max_calls: u32,
    request: Request<Body>,
) -> Answer {
    let handler = Handler::new(act);
    let calls = Arc::clone(&handler.calls);
    let response = edge(handler, max_calls).serve().oneshot(request).await;
    Answer {
        response: response.unwrap_or_else(|never| match never {}),
        calls: calls.load(Ordering::Relaxed),
    }
}

async fn call<F: Answered>(
    act: impl Fn() -> F + Send + Sync + 'static,
    method: &str,
    headers: &[(&'static str, &str)],
) -> Answer {
    let path = format!("/{}/{method}", Handler::NAME);
    send(act, 100, request(&path, headers)).await
}

fn user_token() -> String {
    let id = UserId::parse("ada-1815").expect("an id");
    format!("Bearer {}", SessionToken::of_user(&id, &[7; 32]).expose())
}

#[tokio::test]
async fn the_id_that_the_client_sent_is_answered() {
    let answer = call(good, "Open", &[("x-request-id", "mine-1")]).await;
    assert_eq!((answer.code(), answer.calls), (Code::Ok, 1));
    assert_eq!(answer.call_id(), "mine-1");
}

#[tokio::test]
async fn a_call_without_an_id_gets_one_and_its_error_names_the_same() {
    let answer = call(async || Err(Rejection::EmailTaken.into()), "Open", &[]).await;
    let details = answer.details();
    let named = &details.request_info().expect("RequestInfo").request_id;
    assert_eq!(named, answer.call_id());
    assert_eq!(named.len(), 36);
}

#[tokio::test]
async fn what_a_handler_refuses_reaches_the_client_with_its_details() {
    let refuse = async || Err(InvalidFields::one("title", &"must be set").into());
    let answer = call(refuse, "Open", &[]).await;
    assert_eq!(answer.code(), Code::InvalidArgument);
    assert_eq!(answer.reason(), "INVALID_FIELDS");
    let details = answer.details();
    let wrong = details.bad_request().expect("BadRequest");
    assert_eq!(wrong.field_violations[0].field, "title");
    assert_eq!(
        answer.response.headers()["content-type"],
        "application/grpc"
    );
}

#[tokio::test]
async fn a_method_without_a_row_is_not_served() {
    let answer = call(good, "Forgotten", &[("authorization", &user_token())]).await;
    assert_eq!((answer.code(), answer.calls), (Code::Unimplemented, 0));
    assert_eq!(answer.reason(), "UNKNOWN_METHOD");
    assert!(answer.details().request_info().is_some());
}

#[tokio::test]
async fn all_that_is_wrong_with_a_credential_is_answered_alike() {
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
        let answer = call(good, method, &headers).await;
        assert_eq!(
            (answer.code(), answer.calls),
            (Code::Unauthenticated, 0),
            "{credential:?}"
        );
        assert_eq!(answer.reason(), "UNAUTHENTICATED");
        sentences.push(answer.status().expect("an error").message().to_owned());
    }
    sentences.dedup();
    assert_eq!(sentences.len(), 1);
}

#[tokio::test]
async fn an_open_method_looks_at_no_credential() {
    let answer = call(good, "Open", &[("authorization", "Bearer nonsense")]).await;
    assert_eq!((answer.code(), answer.calls), (Code::Ok, 1));
}

#[tokio::test]
async fn without_redis_a_signed_in_caller_is_told_so_and_nobody_else_notices() {
    let answer = call(good, "OfUsers", &[("authorization", &user_token())]).await;
    assert_eq!((answer.code(), answer.calls), (Code::Unavailable, 0));
    assert_eq!(answer.reason(), "STORE_UNAVAILABLE");
    assert_eq!(answer.outcome().as_deref(), Some("NOT_APPLIED"));
    assert!(answer.details().retry_info().is_some());
    let status = answer.status().expect("an error");
    assert!(
        !status.message().contains("127.0.0.1"),
        "{}",
        status.message()
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_the_deadline_of_its_client() {
    let began_at = Instant::now();
    let answer = call(endless, "Open", &[("grpc-timeout", "200m")]).await;
    assert_eq!((answer.code(), answer.calls), (Code::DeadlineExceeded, 1));
    assert_eq!(answer.outcome().as_deref(), Some("NOT_APPLIED"));
    assert!(began_at.elapsed() <= Duration::from_millis(200));
    assert!(began_at.elapsed() >= Duration::from_millis(180));
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_the_deadline_of_the_server_whatever_its_client_says() {
    for headers in [&[][..], &[("grpc-timeout", "1H")]] {
        let began_at = Instant::now();
        let answer = call(endless, "Open", headers).await;
        assert_eq!(answer.code(), Code::DeadlineExceeded);
        assert_eq!(began_at.elapsed().as_secs(), MAX_DEADLINE.as_secs());
    }
}

#[tokio::test]
async fn a_call_whose_time_is_over_at_its_arrival_is_not_made() {
    let answer = call(good, "Open", &[("grpc-timeout", "0m")]).await;
    assert_eq!((answer.code(), answer.calls), (Code::DeadlineExceeded, 0));
    assert_eq!(answer.outcome().as_deref(), Some("NOT_APPLIED"));
}

#[tokio::test]
async fn a_deadline_that_cannot_be_read_is_the_clients_mistake() {
    let answer = call(good, "Open", &[("grpc-timeout", "soon")]).await;
    assert_eq!((answer.code(), answer.calls), (Code::InvalidArgument, 0));
    assert_eq!(answer.reason(), "MALFORMED_MESSAGE");
}

#[tokio::test]
async fn beyond_the_limit_calls_are_turned_away_but_not_health() {
    let path = format!("/{}/Open", Handler::NAME);
    let answer = send(good, 0, request(&path, &[])).await;
    assert_eq!((answer.code(), answer.calls), (Code::ResourceExhausted, 0));
    assert_eq!(answer.reason(), "OVERLOADED");
    assert!(answer.details().retry_info().is_some());

    let answer = send(good, 0, message("/grpc.health.v1.Health/Check", &[])).await;
    assert_eq!(answer.code(), Code::Ok);
}

#[tokio::test]
async fn a_handler_that_panics_answers_internal_and_keeps_its_words_to_itself() {
    let answer = call(async || panic!("ada@example.org"), "Open", &[]).await;
    assert_eq!(answer.code(), Code::Internal);
    assert_eq!(answer.reason(), "INTERNAL");
    let status = answer.status().expect("an error");
    assert!(!status.message().contains("ada"), "{}", status.message());
}

/// A request with one message of this content.
fn message(path: &str, content: &[u8]) -> Request<Body> {
    let mut frame = vec![0];
    let length = u32::try_from(content.len()).expect("short");
    frame.extend(length.to_be_bytes());
    frame.extend(content);
    request(path, &[]).map(|_| Body::new(http_body_util::Full::from(frame)))
}

fn report_path() -> String {
    let name = DiagnosticsServiceServer::<Diagnostics>::NAME;
    assert_eq!(name, DIAGNOSTICS);
    format!("/{name}/GetHealthReport")
}

#[tokio::test]
async fn the_health_report_needs_no_credential() {
    let answer = send(good, 100, message(&report_path(), &[8, 1])).await;
    assert_eq!(answer.code(), Code::Ok);
}

#[tokio::test]
async fn a_message_that_cannot_be_decoded_is_the_clients_mistake() {
    let answer = send(good, 100, message(&report_path(), &[0xff])).await;
    assert_eq!(answer.code(), Code::InvalidArgument);
    assert_eq!(answer.reason(), "MALFORMED_MESSAGE");
    let answer = send(good, 100, request(&report_path(), &[])).await;
    assert_eq!(answer.reason(), "MALFORMED_MESSAGE");
}

#[tokio::test]
async fn a_message_above_the_limit_is_resource_exhausted() {
    let answer = send(
        good,
        100,
        message(&report_path(), &vec![0; MAX_MESSAGE_BYTES + 1]),
    )
    .await;
    assert_eq!(answer.code(), Code::ResourceExhausted);
    assert_eq!(answer.reason(), "MESSAGE_TOO_LARGE");
}

#[tokio::test]
async fn a_compression_that_is_not_read_is_unimplemented() {
    let mut request = message(&report_path(), &[]);
    let gzip = HeaderValue::from_static("gzip");
    request.headers_mut().insert("grpc-encoding", gzip);
    let answer = send(good, 100, request).await;
    assert_eq!(answer.code(), Code::Unimplemented);
    assert_eq!(answer.reason(), "UNKNOWN_COMPRESSION");
}

#[tokio::test]
async fn health_passes_by() {
    let answer = send(good, 100, message("/grpc.health.v1.Health/Check", &[])).await;
    assert_eq!(answer.code(), Code::Ok);
    assert!(!answer.response.headers().contains_key(call_id::HEADER));
}
