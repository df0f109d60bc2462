//! The health of a server, to the letter of `grpc.health.v1`: Check, Watch and
//! List.
//!
//! 1. `names` – the names that can be asked for, each with its newest status
//! 2. `watch` – one Watch call
//! 3. `part` – Redis or the peer: when it counts as up, and when as down
//! 4. `board` – from what is known to what each name says
//! 5. `evaluation` – asks one part of deep: once, however many ask
//! 6. `deep` – which parts are behind a name
//! 7. `redis` – Redis, through the store
//! 8. `peer` – the other service, over one kept channel
//! 9. `service` – what the client sees
//! 10. `probe` – asks a server from the command line
//! 11. `url` – where a server is
//!
//! `GetHealthReport`, the same for people, is in [`crate::diagnostics`].
//!
//! # How a server uses it
//! ```ignore
//! let health = Health::new(identity, Probes { redis: redis_probe(store), peer });
//! routes.add_service(health.service()).add_service(health.diagnostics());
//! health.initialised(); // as soon as it listens and all is mounted
//! // … on SIGTERM, first of all:
//! health.drain(); // then the lame-duck time, then GOAWAY
//! ```
//! Both services go beside the layers that limit, shed, trace and log the other
//! calls, not below them, and may be mounted on a second listener as well. The
//! subcommand `probe` of a binary is `ProbeCommand::run`.
//!
//! # What had to be our own
//! tonic-health's client asks the peer and serves the probe. Its server (0.14.9)
//! does not conform: Watch of an unknown name ends with `NOT_FOUND`, List is
//! missing from its trait, setting the same status again is sent again, `""` is
//! SERVING from the first instant, and an open Watch keeps
//! `serve_with_shutdown` from ever returning. Hence the messages from
//! [`api::health`] and a server of our own.

mod board;
mod deep;
mod evaluation;
mod names;
mod part;
mod peer;
mod probe;
mod redis;
mod service;
mod url;
mod watch;

use std::{borrow::Cow, sync::Arc, time::SystemTime};

use api::{
    diagnostics::{ServerHealth, diagnostics_service_server::DiagnosticsServiceServer},
    health::{health_check_response::ServingStatus, health_server::HealthServer},
};
use futures::future::BoxFuture;

pub use probe::{Outcome, ProbeCommand, Probed, probe};
pub use redis::redis_probe;
pub use service::HealthService;
pub use url::{InvalidServerUrl, ServerUrl};

pub(crate) use {
    board::{Facts, Phase},
    names::{BASE, DEEP, LIVENESS, PEER, READINESS, REDIS, Standing},
    part::{Checked, Part},
};

use crate::diagnostics::Diagnostics;
use board::Board;
use deep::Deep;
use names::Names;
use peer::Peer;

/// Asks one part of `deep`. The error is a fixed sentence, so that no address,
/// secret or word of a driver can reach a client.
pub type Probe = Arc<dyn Fn() -> BoxFuture<'static, Result<(), &'static str>> + Send + Sync>;

/// Who the server is.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// The name for people: `admin-service` or `user-service`.
    pub name: &'static str,
    /// The full name of the gRPC service, such as `startlist.user.v1.UserService`.
    pub service: &'static str,
}

/// What `deep` asks.
pub struct Probes {
    /// PINGs Redis, on a connection of its own; see [`redis_probe`].
    pub redis: Probe,
    /// The other service. Without one `peer` and `deep` are never SERVING: a
    /// full check that did not ask everybody would be a lie.
    pub peer: Option<ServerUrl>,
}

/// The health of one server. Cheap to clone; all clones are one.
///
/// Every name but `liveness` begins `NOT_SERVING`.
#[derive(Clone)]
pub struct Health {
    names: Arc<Names>,
    board: Arc<Board>,
    deep: Deep,
    peer: Option<Peer>,
    identity: Identity,
    started_at: SystemTime,
}

impl Health {
    /// Begins the health of a server; its start time is now.
    ///
    /// # Panics
    /// Outside of a tokio runtime, which the channel to the peer needs. Nothing
    /// is connected before somebody asks.
    #[must_use]
    pub fn new(identity: Identity, probes: Probes) -> Self {
        let names = Arc::new(Names::default());
        let board = Arc::new(Board::new(identity.service, Arc::clone(&names)));
        let peer = probes.peer.as_ref().map(Peer::new);
        let deep = Deep::new(&board, &names, probes.redis, peer::base_probe(peer.clone()));
        Self {
            names,
            board,
            deep,
            peer,
            identity,
            started_at: SystemTime::now(),
        }
    }

    /// `grpc.health.v1.Health`, to be mounted.
    #[must_use]
    pub fn service(&self) -> HealthServer<HealthService> {
        let service = HealthService::new(Arc::clone(&self.names), self.deep.clone());
        HealthServer::new(service).max_decoding_message_size(service::MAX_REQUEST_BYTES)
    }

    /// `startlist.diagnostics.v1.DiagnosticsService`, to be mounted.
    #[must_use]
    pub fn diagnostics(&self) -> DiagnosticsServiceServer<Diagnostics> {
        DiagnosticsServiceServer::new(Diagnostics::new(self.clone()))
            .max_decoding_message_size(service::MAX_REQUEST_BYTES)
    }

    /// Turns base on: the server listens and everything is mounted. From now
    /// on Redis is asked until it has answered once, which opens `readiness`.
    pub fn initialised(&self) {
        self.board.change(Facts::initialised);
        self.deep.start();
    }

    /// Opens `readiness` for good: Redis has answered somebody.
    pub fn redis_answered(&self) {
        self.board.change(|facts| facts.redis_answered = true);
    }

    /// Turns base, `readiness` and `deep` off for good, tells it to all who
    /// watch, then ends their streams. `liveness` stays SERVING.
    pub fn drain(&self) {
        self.board.change(Facts::drain);
        self.names.end_watches();
    }

    /// Says the status of a further name, such as the full name of another
    /// gRPC service on this server. Who watches the name is told.
    pub fn set(&self, name: impl Into<Cow<'static, str>>, status: ServingStatus) {
        self.names.set(name, status);
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    pub(crate) fn started_at(&self) -> SystemTime {
        self.started_at
    }

    pub(crate) fn facts(&self) -> Facts {
        self.board.facts()
    }

    pub(crate) fn standing(&self, name: &str) -> Option<Standing> {
        self.names.get(name)
    }

    /// Returns when what is known of Redis and the peer is at most 1 s old.
    pub(crate) async fn fresh(&self) {
        self.deep.fresh(DEEP).await;
    }

    /// The peer's own report, at most 1 s old.
    pub(crate) async fn peer_report(&self) -> Option<ServerHealth> {
        self.peer.as_ref()?.report().await
    }
}
