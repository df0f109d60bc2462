use std::sync::Arc;

use api::diagnostics::GetHealthReportRequest;
use api::diagnostics::diagnostics_service_client::DiagnosticsServiceClient;
use api::health::HealthCheckRequest;
use api::health::health_check_response::ServingStatus;
use api::health::health_client::HealthClient;
use domain::Rejection;
use http::uri::PathAndQuery;
use store::UserStore;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use tonic_prost::ProstCodec;

use super::*;
use crate::auth::Access;
use crate::changes::Rate;
use crate::errors::Failure;
use crate::testing::{CommandLine, Handler};

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    end: JoinHandle<io::Result<()>>,
}

async fn start(handler: Handler, settings: &[&str]) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let no_redis = ["--redis-url", "redis://127.0.0.1:1"];
    let settings = CommandLine::settings(&[&no_redis[..], settings].concat()).expect("valid");
    let redis = Redis::new(settings.redis_url.expose(), None).expect("a URL");
    let app = App {
        identity: Identity {
            name: "test-service",
            service: Handler::NAME,
        },
        service: handler,
        access: &[("Open", Access::Anyone, Rate::Unlimited)],
        changes_per_minute: 0,
        sessions: UserStore::new(&redis).sessions(),
        redis,
        preparation: Box::pin(std::future::ready(())),
        settings,
    };
    let (stop, stopped) = oneshot::channel();
    let end = tokio::spawn(run(listener, app, async {
        stopped.await.expect("not dropped");
    }));
    Running { address, stop, end }
}

fn channel(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("a URL");
    endpoint.connect_lazy()
}

async fn server_status(address: SocketAddr) -> ServingStatus {
    let request = HealthCheckRequest::default();
    let response = HealthClient::new(channel(address)).check(request).await;
    response.expect("a response").into_inner().status()
}

/// Calls the handler on a new connection.
async fn call(address: SocketAddr) -> Code {
    let mut client = Grpc::new(channel(address));
    client.ready().await.expect("a connection");
    let path = PathAndQuery::from_static("/test.v1.TestService/Open");
    let codec = ProstCodec::<HealthCheckRequest, HealthCheckRequest>::default();
    let request = Request::new(HealthCheckRequest::default());
    let response = client.unary(request, path, codec).await;
    response.expect_err("always an error").code()
}

/// The code that the handlers of these tests return.
const HANDLER_CODE: Code = Code::AlreadyExists;

/// A handler that reports when it was called, and returns when the semaphore has a permit.
fn waiting_handler(called: mpsc::UnboundedSender<()>, may_return: &Arc<Semaphore>) -> Handler {
    let may_return = Arc::clone(may_return);
    Handler::new(move || {
        let may_return = Arc::clone(&may_return);
        let _ = called.send(());
        async move {
            let _ = may_return.acquire().await;
            Err(Failure::from(Rejection::EmailTaken))
        }
    })
}

#[tokio::test]
async fn a_server_serves_until_the_shutdown_signal() {
    let refuse = async || Err(Failure::from(Rejection::EmailTaken));
    let server = start(Handler::new(refuse), &["--lame-duck", "0s"]).await;
    assert_eq!(server_status(server.address).await, ServingStatus::Serving);
    let report = DiagnosticsServiceClient::new(channel(server.address))
        .get_health_report(GetHealthReportRequest { shallow: true })
        .await;
    assert!(report.expect("a report").into_inner().server.is_some());
    assert_eq!(call(server.address).await, HANDLER_CODE);

    server.stop.send(()).expect("the server runs");
    server.end.await.expect("no panic").expect("no error");
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_stop_is_announced_first_and_loses_no_call() {
    let (called, mut has_called) = mpsc::unbounded_channel();
    let may_return = Arc::new(Semaphore::new(0));
    let settings = ["--lame-duck", "500ms", "--drain-deadline", "60s"];
    let server = start(waiting_handler(called, &may_return), &settings).await;
    let mut watch = HealthClient::new(channel(server.address))
        .watch(HealthCheckRequest::default())
        .await
        .expect("a watch")
        .into_inner();
    let before = tokio::spawn(call(server.address));
    has_called.recv().await.expect("the call is in flight");

    let stopped_at = Instant::now();
    server.stop.send(()).expect("the server runs");
    let mut statuses = Vec::new();
    while let Some(response) = watch.message().await.expect("no error") {
        statuses.push(response.status());
    }
    assert_eq!(
        statuses,
        [ServingStatus::Serving, ServingStatus::NotServing]
    );
    assert_eq!(
        server_status(server.address).await,
        ServingStatus::NotServing
    );
    let lame_duck = tokio::spawn(call(server.address));
    has_called.recv().await.expect("a new call is accepted");

    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(stopped_at.elapsed() >= Duration::from_millis(500));
    may_return.add_permits(2);
    assert_eq!(before.await.expect("no panic"), HANDLER_CODE);
    assert_eq!(lame_duck.await.expect("no panic"), HANDLER_CODE);
    server.end.await.expect("no panic").expect("no error");
    assert!(stopped_at.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cancelled_at_the_drain_deadline() {
    let (called, mut has_called) = mpsc::unbounded_channel();
    let never = Arc::new(Semaphore::new(0));
    let settings = ["--lame-duck", "0s", "--drain-deadline", "200ms"];
    let server = start(waiting_handler(called, &never), &settings).await;
    let endless = tokio::spawn(call(server.address));
    has_called.recv().await.expect("the call is in flight");

    server.stop.send(()).expect("the server runs");
    server.end.await.expect("no panic").expect("no error");
    assert!(!endless.is_finished());
}

#[tokio::test]
async fn health_can_have_an_address_of_its_own() {
    let health_address = free_address().await;
    let settings = [
        "--lame-duck",
        "0s",
        "--health-listen",
        &health_address.to_string(),
    ];
    let refuse = async || Err(Failure::from(Rejection::EmailTaken));
    let server = start(Handler::new(refuse), &settings).await;
    assert_eq!(server_status(server.address).await, ServingStatus::Serving);
    assert_eq!(server_status(health_address).await, ServingStatus::Serving);
    assert_eq!(call(health_address).await, Code::Unimplemented);
}

async fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("an address")
}
