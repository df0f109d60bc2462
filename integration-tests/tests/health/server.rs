//! A server in this process that serves health and the health report only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use server::diagnostics::Diagnostics;
use server::health::{Health, Identity, Probes, redis_probe};
use store::Redis;
use testkit::eventually;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{self, Server as Http2};
use tower::util::MapRequestLayer;

use crate::client::Client;

/// The URL of a Redis that is unreachable.
pub(crate) const NOWHERE: &str = "redis://127.0.0.1:1";
pub(crate) const SERVICE: &str = "startlist.test.v1.TestService";

pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) health: Health,
    calls: Arc<AtomicU64>,
    goaway: CancellationToken,
    serving: JoinHandle<Result<(), transport::Error>>,
}

impl Server {
    /// Starts a server on a free port, initialised and prepared. `peer` is an address.
    pub(crate) async fn start(redis: &str, peer: Option<&str>) -> Self {
        Self::start_at("127.0.0.1:0", redis, peer).await
    }

    /// Starts a server at this address, initialised and prepared.
    pub(crate) async fn start_at(address: &str, redis: &str, peer: Option<&str>) -> Self {
        let server = Self::start_uninitialised(address, redis, peer).await;
        server.health.initialised();
        server.health.prepared();
        server
    }

    /// Starts a server at this address that is neither initialised nor prepared.
    pub(crate) async fn start_uninitialised(
        address: &str,
        redis: &str,
        peer: Option<&str>,
    ) -> Self {
        let listener = listen(address).await;
        let address = listener.local_addr().expect("a local address").to_string();
        let probes = Probes {
            redis: redis_probe(Redis::new(redis, None).expect("a URL")),
            peer: peer.map(|peer| peer.parse().expect("an address")),
        };
        let health = Health::new(
            Identity {
                name: "test-service",
                service: SERVICE,
            },
            probes,
        );

        let calls = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&calls);
        let count = move |request| {
            counter.fetch_add(1, Ordering::SeqCst);
            request
        };
        let goaway = CancellationToken::new();
        let serving = Http2::builder()
            .layer(MapRequestLayer::new(count))
            .add_service(health.service())
            .add_service(Diagnostics::service(health.clone()))
            .serve_with_incoming_shutdown(
                TcpListenerStream::new(listener),
                goaway.clone().cancelled_owned(),
            );
        Self {
            address,
            health,
            calls,
            goaway,
            serving: tokio::spawn(serving),
        }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.address).await
    }

    /// The number of calls so far.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// Sends GOAWAY to all clients; returns when the last one has disconnected.
    pub(crate) async fn stop(self) {
        self.goaway.cancel();
        self.serving.await.expect("no panic").expect("no error");
    }
}

/// Listens at this address, which a client of another test may use as its own for a moment.
async fn listen(address: &str) -> TcpListener {
    let mut listener = None;
    eventually("the address is free", async || {
        listener = TcpListener::bind(address).await.ok();
        listener.is_some()
    })
    .await;
    listener.expect("a listener")
}

/// The address of a server that accepts connections and never replies, as long as the listener
/// lives.
pub(crate) async fn silent_listener() -> (TcpListener, String) {
    let listener = listen("127.0.0.1:0").await;
    let address = listener.local_addr().expect("a local address");
    (listener, address.to_string())
}
