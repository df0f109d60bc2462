//! Serves until it is told to stop, then drains.
//!
//! A stop has four steps, so that no client has to see it: health says `NOT_SERVING` and ends its
//! watches; for the lame-duck time new calls are still taken, because it takes a while until the last
//! client has heard; then clients are sent away with GOAWAY and no connection is accepted, while the
//! calls in flight go on; at the drain deadline, or when the last call has ended, the server ends.

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
use crate::redis_setup::look_at_redis;

/// The largest request message, for `max_decoding_message_size` of each service. The largest honest
/// one is a competition with a description of 5,000 characters, some 20 KiB.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// Calls and watches in flight on one connection; HTTP/2 makes the client hold back the rest. tonic has
/// no limit of its own. RFC 9113 asks for at least 100; proxies open more connections when they need more.
/// A call in flight takes some 6 KiB, so that this bounds what one client can make a server hold, and a
/// crowd waits in its clients instead of being turned away.
const MAX_STREAMS: u32 = 256;

/// How often a silent client is asked whether it is still there, and how long it may take to say so.
/// Without it a client that vanished holds its connection for ever.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(60);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// A service, and all that the server mounts around it.
pub struct App<S> {
    /// Who the server is.
    pub identity: Identity,
    /// The generated server around the service, with
    /// `.max_decoding_message_size(server::MAX_MESSAGE_BYTES)`.
    pub service: S,
    /// Who may call which method.
    pub access: AccessTable,
    /// Looks up who is calling.
    pub sessions: Sessions,
    /// The Redis whose health is checked.
    pub redis: Redis,
    /// The settings that both services share.
    pub settings: ServiceSettings,
}

/// Serves on the listener until `shutdown`, then drains. It ends well also when the drain deadline cuts
/// calls off. Connections that are left then end with the runtime.
///
/// Fails if there is a second address for health and nobody can listen there.
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
    // Dropped, and with it what is in it, when the server ends.
    let mut beside_calls = JoinSet::new();
    beside_calls.spawn(look_at_redis(app.redis));
    let edge = Edge::new(
        app.service,
        app.access,
        beside::<S>(&health, settings.run.reflection)?,
        app.sessions,
        Limits {
            max_deadline: settings.run.max_deadline,
            max_calls: settings.run.max_calls,
        },
    );
    let health_alone = health_alone(
        settings.health_listen,
        &health,
        settings.run.max_connections,
    )
    .await?;
    let address = listener.local_addr()?;

    let goaway = CancellationToken::new();
    let calls = http2().serve_with_incoming_shutdown(
        edge.serve(),
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
        warn!("the drain deadline passed with calls in flight");
    };
    tokio::select! {
        served = calls => served.map_err(io::Error::other),
        // Answers probes to the last, and so never ends by itself.
        served = health_alone => served.map_err(io::Error::other),
        () = stop => Ok(()),
    }
}

/// What is served beside the service, without credentials.
fn beside<S: NamedService>(health: &Health, reflection: bool) -> io::Result<Routes> {
    let mut routes = Routes::new(health.service()).add_service(health.diagnostics());
    if reflection {
        // grpcurl 1.8 asks v1alpha, newer ones v1.
        let v1 = described::<S>().build_v1().map_err(io::Error::other)?;
        let v1alpha = described::<S>().build_v1alpha().map_err(io::Error::other)?;
        routes = routes.add_service(v1).add_service(v1alpha);
    }
    Ok(routes.prepare())
}

/// What reflection lists: what this server serves. The descriptors hold the other service too.
fn described<S: NamedService>() -> reflection::Builder<'static> {
    let served = [
        S::NAME,
        DiagnosticsServiceServer::<Diagnostics>::NAME,
        HealthServer::<HealthService>::NAME,
    ];
    let described = reflection::Builder::configure()
        .register_encoded_file_descriptor_set(api::DESCRIPTOR_SET)
        // So that a tool can show the details of an error.
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET);
    served
        .into_iter()
        .fold(described, reflection::Builder::with_service_name)
}

/// Health on an address of its own, if there is one.
async fn health_alone(
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

/// Ends with the first SIGTERM or SIGINT. A second one ends the process at once.
pub fn shutdown_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        next_of(&mut terminate, &mut interrupt).await;
        tokio::spawn(async move {
            let number = next_of(&mut terminate, &mut interrupt).await;
            // As a shell reports a process that the signal ended.
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
        let nowhere = ["test", "--redis-url", "redis://127.0.0.1:1"];
        let settings = Cli::parse_from(nowhere.iter().chain(settings)).settings;
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

    async fn base(address: SocketAddr) -> ServingStatus {
        let request = HealthCheckRequest::default();
        let answer = HealthClient::new(channel(address)).check(request).await;
        answer.expect("an answer").into_inner().status()
    }

    /// Calls the handler, through a connection of its own.
    async fn call(address: SocketAddr) -> Code {
        let mut client = Grpc::new(channel(address));
        client.ready().await.expect("a connection");
        let path = PathAndQuery::from_static("/test.v1.TestService/Open");
        let codec = ProstCodec::<HealthCheckRequest, HealthCheckRequest>::default();
        let request = Request::new(HealthCheckRequest::default());
        let answer = client.unary(request, path, codec).await;
        answer.expect_err("always an error").code()
    }

    /// What a handler of these tests answers, once it does.
    const ANSWERED: Code = Code::AlreadyExists;

    /// A handler that says when it was reached, and answers when it may.
    fn patient(reached: mpsc::UnboundedSender<()>, may_answer: &Arc<Semaphore>) -> Handler {
        let may_answer = Arc::clone(may_answer);
        Handler::new(move || {
            let may_answer = Arc::clone(&may_answer);
            let _ = reached.send(());
            async move {
                let _ = may_answer.acquire().await;
                Err(Failure::from(Rejection::EmailTaken))
            }
        })
    }

    #[tokio::test]
    async fn a_server_serves_until_it_is_told_to_stop() {
        let refuse = async || Err(Failure::from(Rejection::EmailTaken));
        let server = start(Handler::new(refuse), &["--lame-duck", "0s"]).await;
        assert_eq!(base(server.address).await, ServingStatus::Serving);
        let report = DiagnosticsServiceClient::new(channel(server.address))
            .get_health_report(GetHealthReportRequest { shallow: true })
            .await;
        assert!(report.expect("an answer").into_inner().server.is_some());
        assert_eq!(call(server.address).await, ANSWERED);

        server.stop.send(()).expect("it runs");
        server.end.await.expect("no panic").expect("a good end");
        assert!(TcpStream::connect(server.address).await.is_err());
    }

    #[tokio::test]
    async fn a_stop_is_told_first_and_costs_no_call() {
        let (reached, mut has_reached) = mpsc::unbounded_channel();
        let may_answer = Arc::new(Semaphore::new(0));
        let settings = ["--lame-duck", "500ms", "--drain-deadline", "60s"];
        let server = start(patient(reached, &may_answer), &settings).await;
        let mut watch = HealthClient::new(channel(server.address))
            .watch(HealthCheckRequest::default())
            .await
            .expect("a watch")
            .into_inner();
        let before = tokio::spawn(call(server.address));
        has_reached.recv().await.expect("the call is in flight");

        let stopped_at = Instant::now();
        server.stop.send(()).expect("it runs");
        let mut told = Vec::new();
        while let Some(answer) = watch.message().await.expect("no error") {
            told.push(answer.status());
        }
        assert_eq!(told, [ServingStatus::Serving, ServingStatus::NotServing]);
        assert_eq!(base(server.address).await, ServingStatus::NotServing);
        let lame_duck = tokio::spawn(call(server.address));
        has_reached.recv().await.expect("a new call is taken");

        while TcpStream::connect(server.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(stopped_at.elapsed() >= Duration::from_millis(500));
        may_answer.add_permits(2);
        assert_eq!(before.await.expect("no panic"), ANSWERED);
        assert_eq!(lame_duck.await.expect("no panic"), ANSWERED);
        server.end.await.expect("no panic").expect("a good end");
        assert!(stopped_at.elapsed() < Duration::from_secs(30));
    }

    #[tokio::test]
    async fn a_call_that_does_not_end_is_cut_off_at_the_drain_deadline() {
        let (reached, mut has_reached) = mpsc::unbounded_channel();
        let never = Arc::new(Semaphore::new(0));
        let settings = ["--lame-duck", "0s", "--drain-deadline", "200ms"];
        let server = start(patient(reached, &never), &settings).await;
        let endless = tokio::spawn(call(server.address));
        has_reached.recv().await.expect("the call is in flight");

        server.stop.send(()).expect("it runs");
        server.end.await.expect("no panic").expect("a good end");
        assert!(!endless.is_finished());
    }

    #[tokio::test]
    async fn health_has_an_address_of_its_own_if_that_is_wanted() {
        let alone = free_address().await;
        let settings = ["--lame-duck", "0s", "--health-listen", &alone.to_string()];
        let refuse = async || Err(Failure::from(Rejection::EmailTaken));
        let server = start(Handler::new(refuse), &settings).await;
        assert_eq!(base(server.address).await, ServingStatus::Serving);
        assert_eq!(base(alone).await, ServingStatus::Serving);
        assert_eq!(call(alone).await, Code::Unimplemented);
    }

    async fn free_address() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        listener.local_addr().expect("an address")
    }
}
