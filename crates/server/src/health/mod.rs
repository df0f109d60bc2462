//! The health of a server, as `grpc.health.v1` defines it: Check, Watch and List.
//!
//! 1. `name`: the seven names that clients can ask for, and the latest status of each.
//! 2. `state`: what the server knows about itself, Redis and the peer, and the statuses that
//!    follow.
//! 3. `evaluation`: background checks of Redis and the peer, shared by all callers.
//! 4. `redis_probe`: the check of Redis.
//! 5. `peer`: the client of the other service, and its check.
//! 6. `service`: the gRPC service.
//! 7. `probe`: the command-line client.
//!
//! `GetHealthReport`, the same statuses with times and reasons, is in [`crate::diagnostics`].
//!
//! # Lifecycle
//! ```ignore
//! let health = Health::new(identity, Probes { redis: redis_probe(store), peer });
//! routes.add_service(health.service());
//! health.initialised(); // once the server listens and everything is mounted
//! health.prepared(); // once the work is done that comes before the first call
//! health.drain(); // first step after SIGTERM; then the lame-duck time, then GOAWAY
//! ```
//! Mount the service beside the layers that authenticate, limit and log the other calls, not below
//! them. It can also be mounted on a second listener.
//!
//! # Why our own server
//! The client and the messages are those of tonic-health. Its server (0.14.9) does not conform to
//! the protocol: List is missing from its trait, Watch of an unknown name ends with `NOT_FOUND`
//! instead of sending `SERVICE_UNKNOWN`, an unchanged status is sent again, `""` is SERVING from
//! the start, and an open Watch keeps `serve_with_shutdown` from returning.

mod evaluation;
mod name;
mod peer;
mod probe;
mod redis_probe;
mod service;
mod state;

use std::sync::Arc;
use std::time::SystemTime;

use api::diagnostics::ServerHealth;
use api::health::health_server::HealthServer;

pub use evaluation::Probe;
pub(crate) use name::{HealthName, StatusSince};
pub use probe::{ProbeCommand, ProbeOutcome, ProbeReport, probe};
pub use redis_probe::redis_probe;
pub use service::HealthService;
pub use state::CheckError;
pub(crate) use state::{CheckResult, DependencyState, HealthState, Phase};

use crate::url::ServerUrl;
use evaluation::Evaluations;
use name::Statuses;
use peer::Peer;
use state::SharedState;

/// The largest request message of the health and diagnostics services, which carries one name.
pub(crate) const MAX_REQUEST_BYTES: usize = 4 * 1024;

/// Names of a server.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// The short name: `admin-service` or `user-service`.
    pub name: &'static str,
    /// The full name of the gRPC service, such as `startlist.user.v1.UserService`.
    pub service: &'static str,
}

/// The dependencies that `deep` checks.
pub struct Probes {
    /// Checks Redis on a connection of its own; see [`redis_probe`].
    pub redis: Probe,
    /// The address of the other service. Without one, `peer` and `deep` are never SERVING, because
    /// a full check has to include the peer.
    pub peer: Option<ServerUrl>,
}

/// The health of one server. Clones share their state.
///
/// All names but `liveness` start as `NOT_SERVING`.
#[derive(Clone)]
pub struct Health {
    statuses: Arc<Statuses>,
    state: Arc<SharedState>,
    evaluations: Evaluations,
    peer: Option<Peer>,
    identity: Identity,
    started_at: SystemTime,
}

impl Health {
    /// Creates the health of a server whose start time is now. Opens no connection yet.
    ///
    /// # Panics
    /// Outside of a tokio runtime, which the channel to the peer needs.
    #[must_use]
    pub fn new(identity: Identity, probes: Probes) -> Self {
        let statuses = Arc::new(Statuses::new(identity.service));
        let state = Arc::new(SharedState::new(Arc::clone(&statuses)));
        let peer = probes.peer.as_ref().map(Peer::new);
        let evaluations = Evaluations::new(&state, probes.redis, peer::peer_probe(peer.clone()));
        Self {
            statuses,
            state,
            evaluations,
            peer,
            identity,
            started_at: SystemTime::now(),
        }
    }

    /// Returns `grpc.health.v1.Health`, to be mounted.
    #[must_use]
    pub fn service(&self) -> HealthServer<HealthService> {
        let service = HealthService::new(Arc::clone(&self.statuses), self.evaluations.clone());
        HealthServer::new(service).max_decoding_message_size(MAX_REQUEST_BYTES)
    }

    /// Sets `""` and the service's name to SERVING: the server listens and everything is mounted.
    /// Starts to check Redis, until it was usable once. `readiness` is SERVING after that and
    /// [`Health::prepared`].
    pub fn initialised(&self) {
        self.state.update(HealthState::initialised);
        self.evaluations.start();
    }

    /// Lets `readiness` become SERVING: the work is done that comes before the first call.
    pub fn prepared(&self) {
        self.state.update(HealthState::prepared);
    }

    /// Sets all names but `liveness`, `redis` and `peer` to `NOT_SERVING` for good, sends that to
    /// all watchers, then ends their streams.
    pub fn drain(&self) {
        self.state.update(HealthState::drain);
        self.statuses.end_watches();
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    pub(crate) fn started_at(&self) -> SystemTime {
        self.started_at
    }

    pub(crate) fn state(&self) -> HealthState {
        self.state.snapshot()
    }

    pub(crate) fn status(&self, name: HealthName) -> StatusSince {
        self.statuses.get(name)
    }

    /// Waits until the checks of Redis and the peer are at most 1 s old.
    pub(crate) async fn refresh(&self) {
        self.evaluations.refresh(HealthName::Deep).await;
    }

    /// Returns the peer's own report, at most 1 s old.
    pub(crate) async fn peer_report(&self) -> Option<ServerHealth> {
        self.peer.as_ref()?.report().await
    }
}
