//! A server with nothing but its health, in this process.

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

/// Where no Redis is.
pub(crate) const NOWHERE: &str = "redis://127.0.0.1:1";
pub(crate) const SERVICE: &str = "startlist.test.v1.TestService";

/// A server that listens.
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) health: Health,
    calls: Arc<AtomicU64>,
    goaway: CancellationToken,
    serving: JoinHandle<Result<(), transport::Error>>,
}

impl Server {
    /// A server on any free port, initialised.
    pub(crate) async fn start(redis: &str, peer: Option<&str>) -> Self {
        Self::start_at("127.0.0.1:0", redis, peer).await
    }

    /// A server at that address, initialised. The peer is an address as well.
    pub(crate) async fn start_at(address: &str, redis: &str, peer: Option<&str>) -> Self {
        let server = Self::begin_at(address, redis, peer).await;
        server.health.initialised();
        server
    }

    /// A server that listens and is not initialised.
    pub(crate) async fn begin_at(address: &str, redis: &str, peer: Option<&str>) -> Self {
        let listener = listen(address).await;
        let address = listener.local_addr().expect("its address").to_string();
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

    /// How many calls came in so far.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// GOAWAY to all clients; returns when the last one has left.
    pub(crate) async fn end(self) {
        self.goaway.cancel();
        self.serving.await.expect("no panic").expect("a good end");
    }
}

/// A client of another test can have got the port as its own for a moment.
async fn listen(address: &str) -> TcpListener {
    let mut listener = None;
    eventually("the address is free", async || {
        listener = TcpListener::bind(address).await.ok();
        listener.is_some()
    })
    .await;
    listener.expect("one that listens")
}
