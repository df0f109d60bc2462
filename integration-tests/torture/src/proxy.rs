//! A network between a client and a server, which can break.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::rewrite::Rewrite;

/// How the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weather {
    /// All goes through.
    #[default]
    Fair,
    /// Each piece of data is late by this, in both directions.
    Late(Duration),
    /// What is asked goes through and is done. The answer is dropped, and with it the connection.
    AnswersLost,
    /// Nothing goes through and nobody is told: half-open.
    Dead,
    /// No connection holds.
    Cut,
}

/// Forwards every connection to a server. It ends with this value.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    link: Link,
    _accepting: JoinSet<()>,
}

#[derive(Clone)]
struct Link {
    server: SocketAddr,
    weather: watch::Sender<Weather>,
    /// Whether the next gRPC answer is to be dropped.
    is_armed: Arc<AtomicBool>,
    rewrite: Option<Rewrite>,
}

impl Proxy {
    /// Starts it on a free port.
    pub async fn before(server: SocketAddr) -> Self {
        Self::start(server, None).await
    }

    /// The same for Redis, with commands that are changed on their way.
    pub async fn rewriting(redis: SocketAddr, rewrite: Rewrite) -> Self {
        Self::start(redis, Some(rewrite)).await
    }

    async fn start(server: SocketAddr, rewrite: Option<Rewrite>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let link = Link {
            server,
            weather: watch::Sender::default(),
            is_armed: Arc::default(),
            rewrite,
        };
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, link.clone()));
        Self {
            address,
            link,
            _accepting: accepting,
        }
    }

    /// From now on the network is so, for open connections too.
    pub fn set(&self, weather: Weather) {
        self.link.weather.send_replace(weather);
    }

    /// Drops the next gRPC answer once the server has given it, and the connection with it.
    pub fn drop_next_answer(&self) {
        self.link.is_armed.store(true, Ordering::SeqCst);
    }

    /// Whether the answer that was to be dropped has been.
    #[must_use]
    pub fn has_dropped(&self) -> bool {
        !self.link.is_armed.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, link: Link) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        let link = link.clone();
        connections.spawn(async move { link.carry(client).await });
        while connections.try_join_next().is_some() {}
    }
}

impl Link {
    /// Carries one connection until either side, or the weather, ends it.
    async fn carry(self, client: TcpStream) {
        let Ok(server) = TcpStream::connect(self.server).await else {
            return;
        };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let mut weather = self.weather.subscribe();
        tokio::select! {
            () = self.ask(from_client, to_server) => {}
            () = self.answer(from_server, to_client) => {}
            _ = weather.wait_for(|weather| *weather == Weather::Cut) => {}
        }
    }

    async fn ask(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut bytes = vec![0; 64 * 1024];
        let mut commands = self.rewrite.clone().map(Rewrite::on_a_connection);
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            self.pass().await;
            let sent = match &mut commands {
                None => to.write_all(&bytes[..count]).await,
                Some(commands) => to.write_all(&commands.take(&bytes[..count])).await,
            };
            if sent.is_err() {
                return;
            }
        }
    }

    async fn answer(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut bytes = vec![0; 64 * 1024];
        let mut frames = Frames::default();
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            if *self.weather.borrow() == Weather::AnswersLost {
                return;
            }
            let is_answer = frames.take(&bytes[..count]);
            if is_answer && self.is_armed.swap(false, Ordering::SeqCst) {
                return;
            }
            self.pass().await;
            if to.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    }

    /// Returns when the weather lets a piece of data through.
    async fn pass(&self) {
        let mut weather = self.weather.subscribe();
        let Ok(now) = weather
            .wait_for(|weather| *weather != Weather::Dead)
            .await
            .map(|weather| *weather)
        else {
            return;
        };
        if let Weather::Late(by) = now {
            sleep(by).await;
        }
    }
}

/// Follows the frames of HTTP/2, to tell an answer from what the protocol says for itself. Of another
/// protocol it says something that nobody asks for.
#[derive(Default)]
struct Frames {
    header: Vec<u8>,
    body_left: usize,
}

impl Frames {
    /// Whether a HEADERS frame begins in these bytes: the server answers a call.
    fn take(&mut self, mut bytes: &[u8]) -> bool {
        const HEADER: usize = 9;
        const HEADERS: u8 = 1;
        let mut is_answer = false;
        while !bytes.is_empty() {
            if self.body_left > 0 {
                let skipped = self.body_left.min(bytes.len());
                self.body_left -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let wanted = (HEADER - self.header.len()).min(bytes.len());
            self.header.extend_from_slice(&bytes[..wanted]);
            bytes = &bytes[wanted..];
            if let [a, b, c, kind, ..] = self.header[..]
                && self.header.len() == HEADER
            {
                self.body_left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                is_answer |= kind == HEADERS;
                self.header.clear();
            }
        }
        is_answer
    }
}
