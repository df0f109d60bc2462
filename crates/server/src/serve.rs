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
use store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
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

/// The largest request message, for `max_decoding_message_size` of each service. The largest honest
/// one is a competition with a description of 5,000 characters, some 20 KiB.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// Calls and watches in flight on one connection; HTTP/2 makes the client hold back the rest. tonic has
/// no limit of its own. A proxy in front brings a thousand watches over one connection, and twice that
/// is far more than the some 300 calls that are in flight at full speed.
const MAX_STREAMS: u32 = 2_000;

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
    /// Where sessions are looked up, and whose health is checked.
    pub store: Store,
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
        redis: redis_probe(app.store.clone()),
        peer: settings.peer_url,
    };
    let health = Health::new(app.identity, probes);
    let edge = Edge::new(
        app.service,
        app.access,
        beside::<S>(&health, settings.reflection)?,
        app.store,
        Limits {
            max_deadline: settings.max_deadline,
            max_calls: settings.max_calls,
        },
    );
    let health_alone =
        health_alone(settings.health_listen, &health, settings.max_connections).await?;
    let address = listener.local_addr()?;

    let goaway = CancellationToken::new();
    let calls = http2().serve_with_incoming_shutdown(
        edge.serve(),
        accept(listener, settings.max_connections),
        goaway.clone().cancelled_owned(),
    );
    let stop = async {
        health.initialised();
        info!(%address, service = S::NAME, "serving");
        shutdown.await;

        let lame_duck = settings.lame_duck.min(settings.drain_deadline);
        info!("draining");
        health.drain();
        sleep(lame_duck).await;
        goaway.cancel();
        sleep(settings.drain_deadline.saturating_sub(lame_duck)).await;
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
    let described =
        reflection::Builder::configure().register_encoded_file_descriptor_set(api::DESCRIPTOR_SET);
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
