//! A TCP proxy: a network between a client and a server that can break.
//!
//! In reading order:
//! - [`Proxy`]: forwards connections in a given state of the [`Network`].
//! - [`Forward`]: what a test does with the bytes on their way, such as recording or changing them.
//! - [`RoundTrips`]: a proxy that counts round trips.

mod round_trips;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

pub use round_trips::RoundTrips;

/// The state of the network, for open and for new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// Everything is forwarded.
    #[default]
    Normal,
    /// Each piece of data is delayed by this time, in both directions.
    Delayed(Duration),
    /// Requests are forwarded. The response is discarded and its connection closed.
    ResponsesLost,
    /// Nothing is forwarded, and connections stay open.
    Stalled,
    /// Every connection is closed.
    Cut,
}

/// Forwards every connection to one server. Dropping it closes all connections.
pub struct Proxy {
    /// The address at which it listens.
    pub address: SocketAddr,
    server: watch::Sender<SocketAddr>,
    link: Link,
    _accepting: JoinSet<()>,
}

/// Forwards the data of one direction of one connection.
pub trait Forward: Send + 'static {
    /// Forwards bytes that were read. An error closes the connection.
    fn forward(
        &mut self,
        bytes: &[u8],
        to: &mut OwnedWriteHalf,
    ) -> impl Future<Output = io::Result<()>> + Send;
}

/// Forwards all bytes unchanged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unchanged;

impl Forward for Unchanged {
    async fn forward(&mut self, bytes: &[u8], to: &mut OwnedWriteHalf) -> io::Result<()> {
        to.write_all(bytes).await
    }
}

impl Proxy {
    /// Starts a proxy on a free port.
    pub async fn start(server: SocketAddr) -> Self {
        Self::start_with(server, || (Unchanged, Unchanged)).await
    }

    /// Starts a proxy on a free port. `new_connection` is called for each connection and returns
    /// what forwards its requests and what forwards its responses.
    pub async fn start_with<Requests: Forward, Responses: Forward>(
        server: SocketAddr,
        new_connection: impl Fn() -> (Requests, Responses) + Send + 'static,
    ) -> Self {
        let link = Link::default();
        let carried = link.clone();
        let server = watch::Sender::new(server);
        let (address, accepting) = accept(server.subscribe(), move |client, server| {
            let (requests, responses) = new_connection();
            carried.clone().carry(client, server, requests, responses)
        })
        .await;
        Self {
            address,
            server,
            link,
            _accepting: accepting,
        }
    }

    /// Sets the state of the network.
    pub fn set(&self, network: Network) {
        self.link.network.send_replace(network);
    }

    /// Forwards new connections to another server, as a fixed address does after a failover. The open
    /// connections stay as they are.
    pub fn redirect(&self, server: SocketAddr) {
        self.server.send_replace(server);
    }

    /// Makes the connections that are open now half-open, as after the loss of a machine or of a
    /// firewall's memory: nothing is forwarded on them any more, and no side is notified. New
    /// connections work.
    pub fn freeze_open_connections(&self) {
        self.link.freezes.send_modify(|count| *count += 1);
    }
}

#[derive(Clone, Default)]
struct Link {
    network: watch::Sender<Network>,
    /// How often the open connections were frozen.
    freezes: watch::Sender<u64>,
}

impl Link {
    /// Carries one connection until either side or the network closes it.
    async fn carry(
        self,
        client: TcpStream,
        server: TcpStream,
        requests: impl Forward,
        responses: impl Forward,
    ) {
        let mut network = self.network.subscribe();
        let mut freezes = self.freezes.subscribe();
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let mut carried = pin!(async {
            tokio::select! {
                () = self.carry_requests(from_client, to_server, requests) => {}
                () = self.carry_responses(from_server, to_client, responses) => {}
            }
        });
        let mut cut = pin!(async move {
            let _ = network.wait_for(|network| *network == Network::Cut).await;
        });
        let is_frozen = tokio::select! {
            () = &mut carried => false,
            () = &mut cut => false,
            _ = freezes.changed() => true,
        };
        if is_frozen {
            // `carried` is not polled any more but keeps the sockets open.
            cut.await;
        }
    }

    async fn carry_requests(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        mut forward: impl Forward,
    ) {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            self.wait_for_passage().await;
            if forward.forward(&bytes[..count], &mut to).await.is_err() {
                return;
            }
        }
    }

    async fn carry_responses(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        mut forward: impl Forward,
    ) {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            if *self.network.borrow() == Network::ResponsesLost {
                return;
            }
            self.wait_for_passage().await;
            if forward.forward(&bytes[..count], &mut to).await.is_err() {
                return;
            }
        }
    }

    /// Returns when the network lets a piece of data through.
    async fn wait_for_passage(&self) {
        let mut network = self.network.subscribe();
        let moving = network.wait_for(|network| *network != Network::Stalled);
        let moving = moving.await.map(|network| *network);
        if let Ok(Network::Delayed(delay)) = moving {
            sleep(delay).await;
        }
    }
}

/// Listens on a free port and carries each connection in a task, until the returned set is dropped.
async fn accept<Carried: Future<Output = ()> + Send + 'static>(
    server: watch::Receiver<SocketAddr>,
    carry: impl Fn(TcpStream, TcpStream) -> Carried + Send + 'static,
) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a local address");
    let mut accepting = JoinSet::new();
    accepting.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let Ok((client, _)) = listener.accept().await else {
                continue;
            };
            // A server that is down closes the connection of the client at once.
            let address = *server.borrow();
            if let Ok(server) = TcpStream::connect(address).await {
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                connections.spawn(carry(client, server));
            }
            while connections.try_join_next().is_some() {}
        }
    });
    (address, accepting)
}
