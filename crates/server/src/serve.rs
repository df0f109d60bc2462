//! Serves until it is told to stop, then drains.
//!
//! A stop has four steps, so that no client loses a call:
//! 1. Health changes to `NOT_SERVING` and ends its watches.
//! 2. During the lame-duck time new calls are still accepted, because clients notice only after a
//!    while.
//! 3. Clients are sent away with GOAWAY and no connection is accepted. Calls in flight continue.
//! 4. The server ends with the last call, or at the drain deadline.

use std::future::{self, Future};
use std::io;
use std::net::SocketAddr;
use std::process;
use std::time::Duration;

use api::diagnostics::diagnostics_service_server::DiagnosticsServiceServer;
use api::health::health_server::HealthServer;
use store::{Redis, Sessions};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::{self, Server};
use tonic_reflection::server as reflection;
use tracing::{info, warn};

use crate::auth::AccessTable;
use crate::config::ServiceSettings;
use crate::connections::accept;
use crate::diagnostics::Diagnostics;
use crate::edge::{Edge, GrpcService, Limits};
use crate::health::{Health, HealthService, Identity, Probes, redis_probe};
use crate::redis_setup::log_redis_setup;

/// The largest request message, for `max_decoding_message_size` of each service. The largest valid
/// one is a competition with a description of 5,000 characters, some 20 KiB.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// The most calls and watches in flight on one connection; HTTP/2 makes the client hold back the
/// rest. tonic has no limit of its own. RFC 9113 recommends at least 100, and proxies open more
/// connections when they need more. A call in flight takes some 6 KiB, so this bounds the memory
/// that one connection can use.
const MAX_STREAMS: u32 = 256;

/// How long a connection may be silent before the server sends a PING, and how long the client has
/// to acknowledge it. Without them a client that vanished would keep its connection forever.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(60);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// A service, and what the server needs to mount the rest around it.
pub struct App<S> {
    pub identity: Identity,
    /// The generated server around the service, with
    /// `.max_decoding_message_size(server::MAX_MESSAGE_BYTES)`.
    pub service: S,
    pub access: AccessTable,
    pub sessions: Sessions,
    /// For the health check.
    pub redis: Redis,
    pub settings: ServiceSettings,
}

/// Serves on the listener until `shutdown`, then drains. Returns `Ok` even if the drain deadline
/// cuts calls off; the connections left then end with the runtime.
///
/// Fails if the second address, for health only, is in use.
pub async fn run<S: GrpcService>(
    listener: TcpListener,
    app: App<S>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let settings = app.settings;
    let probes = Probes {
        redis: redis_probe(app.redis.clone()),
        peer: settings.peer_url,
    };
    let health = Health::new(app.identity, probes);
    // Dropping the set at the end of the server cancels its tasks.
    let mut background = JoinSet::new();
    background.spawn(log_redis_setup(app.redis));
    let edge = Edge::new(
        app.service,
        app.access,
        auxiliary_services::<S>(&health, settings.run.reflection)?,
        app.sessions,
        Limits {
            max_deadline: settings.run.max_deadline,
            max_calls: settings.run.max_calls,
        },
    );
    let health_only = serve_health_only(
        settings.health_listen,
        &health,
        settings.run.max_connections,
    )
    .await?;
    let address = listener.local_addr()?;

    let goaway = CancellationToken::new();
    let calls = http2().serve_with_incoming_shutdown(
        edge.into_service(),
        accept(listener, settings.run.max_connections),
        goaway.clone().cancelled_owned(),
    );
    let stop = async {
        health.initialised();
        info!(%address, service = S::NAME, "serving");
        shutdown.await;

        let lame_duck = settings.run.lame_duck.min(settings.run.drain_deadline);
        info!("draining");
        health.drain();
        sleep(lame_duck).await;
        goaway.cancel();
        sleep(settings.run.drain_deadline.saturating_sub(lame_duck)).await;
        warn!("the drain deadline has passed with calls in flight");
    };
    tokio::select! {
        served = calls => served.map_err(io::Error::other),
        // It never ends by itself, because it answers probes until the process ends.
        served = health_only => served.map_err(io::Error::other),
        () = stop => Ok(()),
    }
}

/// Returns the services without credentials: health, diagnostics, and reflection if it is on.
fn auxiliary_services<S: NamedService>(health: &Health, reflection: bool) -> io::Result<Routes> {
    let mut routes = Routes::new(health.service());
    routes = routes.add_service(Diagnostics::service(health.clone()));
    if reflection {
        // grpcurl 1.8 uses v1alpha, newer versions use v1.
        let v1 = reflection_of::<S>().build_v1().map_err(io::Error::other)?;
        let v1alpha = reflection_of::<S>()
            .build_v1alpha()
            .map_err(io::Error::other)?;
        routes = routes.add_service(v1).add_service(v1alpha);
    }
    Ok(routes.prepare())
}

/// Configures reflection to list the services of this server; the descriptors hold the other
/// service too.
fn reflection_of<S: NamedService>() -> reflection::Builder<'static> {
    let served = [
        S::NAME,
        DiagnosticsServiceServer::<Diagnostics>::NAME,
        HealthServer::<HealthService>::NAME,
    ];
    let builder = reflection::Builder::configure()
        .register_encoded_file_descriptor_set(api::DESCRIPTOR_SET)
        // For tools that show the details of an error.
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET);
    served
        .into_iter()
        .fold(builder, reflection::Builder::with_service_name)
}

/// Listens on the second address, if there is one, and returns the server of health on it.
async fn serve_health_only(
    address: Option<SocketAddr>,
    health: &Health,
    max_connections: u32,
) -> io::Result<impl Future<Output = Result<(), transport::Error>> + use<>> {
    let listener = match address {
        Some(address) => Some(TcpListener::bind(address).await?),
        None => None,
    };
    let routes = Routes::new(health.service()).prepare();
    Ok(async move {
        match listener {
            Some(listener) => {
                let incoming = accept(listener, max_connections);
                http2().serve_with_incoming(routes, incoming).await
            }
            None => future::pending().await,
        }
    })
}

fn http2() -> Server {
    Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
}

/// Completes with the first SIGTERM or SIGINT. A second one ends the process at once.
pub fn shutdown_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        next_of(&mut terminate, &mut interrupt).await;
        tokio::spawn(async move {
            let number = next_of(&mut terminate, &mut interrupt).await;
            // The exit code with which a shell reports a process that a signal ended.
            process::exit(128 + number.as_raw_value());
        });
    })
}

async fn next_of(terminate: &mut Signal, interrupt: &mut Signal) -> SignalKind {
    tokio::select! {
        _ = terminate.recv() => SignalKind::terminate(),
        _ = interrupt.recv() => SignalKind::interrupt(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use api::diagnostics::GetHealthReportRequest;
    use api::diagnostics::diagnostics_service_client::DiagnosticsServiceClient;
    use api::health::HealthCheckRequest;
    use api::health::health_check_response::ServingStatus;
    use api::health::health_client::HealthClient;
    use clap::Parser;
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
    use crate::errors::Failure;
    use crate::testing::Handler;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        settings: ServiceSettings,
    }

    struct Running {
        address: SocketAddr,
        stop: oneshot::Sender<()>,
        end: JoinHandle<io::Result<()>>,
    }

    async fn start(handler: Handler, settings: &[&str]) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let no_redis = ["test", "--redis-url", "redis://127.0.0.1:1"];
        let settings = Cli::parse_from(no_redis.iter().chain(settings)).settings;
        let redis = Redis::new(settings.redis_url.expose(), None).expect("a URL");
        let app = App {
            identity: Identity {
                name: "test-service",
                service: Handler::NAME,
            },
            service: handler,
            access: &[("Open", Access::Anyone)],
            sessions: UserStore::new(&redis).sessions(),
            redis,
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
}
