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
use std::pin::Pin;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use api::diagnostics::diagnostics_service_server::DiagnosticsServiceServer;
use api::health::health_server::HealthServer;
use store::{Redis, Sessions};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_reflection::server as reflection;
use tracing::{info, warn};

use crate::admission::Admission;
use crate::auth::AccessTable;
use crate::config::{RunSettings, ServiceSettings};
use crate::connections::{self, Ages, ConnectionLimits};
use crate::diagnostics::Diagnostics;
use crate::edge::{Edge, GrpcService, Limits, Unchecked};
use crate::health::{Health, HealthService, Identity, MAX_REQUEST_BYTES, Probes, redis_probe};
use crate::redis_setup::log_redis_setup;

/// The largest request message, for `max_decoding_message_size` of each service. The largest valid
/// one is a competition with a description of 5,000 characters, some 20 KiB.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// The most connections for health only. A probe needs one for a moment.
const MAX_HEALTH_CONNECTIONS: u32 = 64;

/// A service, and what the server needs to mount the rest around it.
pub struct App<S> {
    pub identity: Identity,
    /// The generated server around the service, with
    /// `.max_decoding_message_size(server::MAX_MESSAGE_BYTES)`.
    pub service: S,
    pub access: AccessTable,
    /// The changes that each account may make in a minute, unless a setting says otherwise.
    pub changes_per_minute: u32,
    pub sessions: Sessions,
    /// For the health check.
    pub redis: Redis,
    /// The work that has to be done before `readiness` is SERVING. It may wait for Redis.
    pub preparation: Pin<Box<dyn Future<Output = ()> + Send>>,
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
    let run = settings.run;
    let probes = Probes {
        redis: redis_probe(app.redis.clone()),
        peer: settings.peer_url,
    };
    let health = Health::new(app.identity, probes);
    // Dropping the set at the end of the server cancels its tasks.
    let mut background = JoinSet::new();
    background.spawn(log_redis_setup(app.redis));
    let limits = Limits {
        max_deadline: run.max_deadline,
        changes_per_minute: run.changes_per_minute.unwrap_or(app.changes_per_minute),
    };
    let auxiliary = auxiliary_services::<S>(&health, run.reflection)?;
    let admission = Admission::new(run.max_calls);
    let edge = Edge::new(
        app.service,
        app.access,
        auxiliary,
        app.sessions,
        Arc::clone(&admission),
        limits,
    );
    let connection_limits = connection_limits(&run);
    let health_only = serve_health_only(settings.health_listen, &health, &run).await?;
    let address = listener.local_addr()?;

    let goaway = CancellationToken::new();
    let edge = edge.into_service();
    let calls = connections::serve(listener, edge, admission, connection_limits, goaway.clone());
    health.initialised();
    background.spawn(prepare(app.preparation, health.clone()));
    info!(%address, service = S::NAME, "serving");
    tokio::select! {
        () = calls => {}
        // It never ends by itself, because it answers probes until the process ends.
        () = health_only => {}
        () = drain_after(shutdown, &health, &run, &goaway) => {}
    }
    Ok(())
}

fn connection_limits(run: &RunSettings) -> ConnectionLimits {
    let unless_0 = |duration: Duration| Some(duration).filter(|duration| !duration.is_zero());
    ConnectionLimits {
        max: run.max_connections,
        max_per_address: run.max_connections_per_address,
        ages: Ages {
            max_idle: unless_0(run.max_connection_idle),
            max_age: unless_0(run.max_connection_age),
            grace: unless_0(run.max_connection_age_grace),
        },
        proxies: Arc::new(run.trusted_proxies.clone()),
        proxy_protocol: run.proxy_protocol,
    }
}

async fn prepare(preparation: impl Future<Output = ()>, health: Health) {
    preparation.await;
    health.prepared();
}

/// Waits for the shutdown, then drains until the deadline. The server ends earlier if the last call
/// has ended after the GOAWAY.
async fn drain_after(
    shutdown: impl Future<Output = ()>,
    health: &Health,
    run: &RunSettings,
    goaway: &CancellationToken,
) {
    shutdown.await;
    let lame_duck = run.lame_duck.min(run.drain_deadline);
    info!("draining");
    health.drain();
    sleep(lame_duck).await;
    goaway.cancel();
    sleep(run.drain_deadline.saturating_sub(lame_duck)).await;
    warn!("the drain deadline has passed with calls in flight");
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
        routes = routes
            .add_service(
                v1.max_decoding_message_size(MAX_REQUEST_BYTES)
                    .accept_compressed(CompressionEncoding::Gzip),
            )
            .add_service(
                v1alpha
                    .max_decoding_message_size(MAX_REQUEST_BYTES)
                    .accept_compressed(CompressionEncoding::Gzip),
            );
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

/// Listens on the second address, if there is one, and returns the server of health on it. Each
/// address may use all of its connections, because probes may come from one address.
async fn serve_health_only(
    address: Option<SocketAddr>,
    health: &Health,
    run: &RunSettings,
) -> io::Result<impl Future<Output = ()> + use<>> {
    let listener = match address {
        Some(address) => Some(TcpListener::bind(address).await?),
        None => None,
    };
    let routes = Routes::new(health.service()).prepare();
    let admission = Admission::new(0);
    let health_only = Unchecked::alone(routes, Arc::clone(&admission), run.max_deadline);
    let limits = ConnectionLimits {
        max: MAX_HEALTH_CONNECTIONS,
        max_per_address: 0,
        ages: connection_limits(run).ages,
        proxies: Arc::default(),
        proxy_protocol: false,
    };
    Ok(async move {
        match listener {
            Some(listener) => {
                let never = CancellationToken::new();
                connections::serve(listener, health_only, admission, limits, never).await;
            }
            None => future::pending().await,
        }
    })
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
mod tests;
