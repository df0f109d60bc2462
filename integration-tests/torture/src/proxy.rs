//! A network between a client and a server, which can break.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
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
    /// Whether scripts that may write are held back.
    held: watch::Sender<Held>,
    /// Which answers to scripts that may write are to be dropped.
    written: Arc<Mutex<Written>>,
    rewrite: Option<Rewrite>,
}

/// Scripts that are held back, and how often those that were have been thrown away.
#[derive(Clone, Copy, Default)]
struct Held {
    is_on: bool,
    thrown_away: u64,
}

/// Of the scripts that may write and come next: so many are answered, then so many are not.
#[derive(Clone, Copy, Default)]
struct Written {
    answered: u32,
    dropped: u32,
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
            held: watch::Sender::default(),
            written: Arc::default(),
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

    /// On the way to Redis, with a [`Rewrite`]: holds scripts that may write back from now on, and lets what
    /// was sent before them through.
    pub fn hold_scripts(&self) {
        self.link.held.send_modify(|held| held.is_on = true);
    }

    /// Throws away what was held back, with its connections. Later scripts go through.
    pub fn throw_away(&self) {
        self.link.held.send_modify(|held| {
            held.is_on = false;
            held.thrown_away += 1;
        });
    }

    /// On the way to Redis, with a [`Rewrite`]: lets so many scripts that may write be answered, then drops so
    /// many answers to those that come next, once Redis has run them, and the connection each time.
    pub fn drop_written(&self, after: u32, times: u32) {
        *self.link.written.lock().expect("no panic") = Written {
            answered: after,
            dropped: times,
        };
    }

    /// How many of those answers have not been dropped yet. From now on none is.
    #[must_use]
    pub fn left_to_drop(&self) -> u32 {
        std::mem::take(&mut *self.link.written.lock().expect("no panic")).dropped
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
        // Whether the next answer on this connection is to be dropped.
        let is_doomed = AtomicBool::new(false);
        tokio::select! {
            () = self.ask(from_client, to_server, &is_doomed) => {}
            () = self.answer(from_server, to_client, &is_doomed) => {}
            _ = weather.wait_for(|weather| *weather == Weather::Cut) => {}
        }
    }

    async fn ask(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, is_doomed: &AtomicBool) {
        let mut bytes = vec![0; 64 * 1024];
        let mut commands = self.rewrite.clone().map(Rewrite::on_a_connection);
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            self.pass().await;
            let sent = match &mut commands {
                None => to.write_all(&bytes[..count]).await,
                Some(commands) => {
                    let sent = commands.take(&bytes[..count]);
                    let writes_from = sent.writes_from.unwrap_or(sent.bytes.len());
                    let (first, last) = sent.bytes.split_at(writes_from);
                    if to.write_all(first).await.is_err() {
                        return;
                    }
                    if sent.writes_from.is_some() {
                        let mut held = self.held.subscribe();
                        let before = held.borrow().thrown_away;
                        let after = held.wait_for(|held| !held.is_on).await.map(|held| *held);
                        if after.is_ok_and(|after| after.thrown_away > before) {
                            return;
                        }
                        if self.is_to_be_dropped() {
                            is_doomed.store(true, Ordering::SeqCst);
                        }
                    }
                    to.write_all(last).await
                }
            };
            if sent.is_err() {
                return;
            }
        }
    }

    fn is_to_be_dropped(&self) -> bool {
        let mut written = self.written.lock().expect("no panic");
        if written.answered > 0 {
            written.answered -= 1;
            return false;
        }
        let is_dropped = written.dropped > 0;
        written.dropped = written.dropped.saturating_sub(1);
        is_dropped
    }

    async fn answer(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        is_doomed: &AtomicBool,
    ) {
        let mut bytes = vec![0; 64 * 1024];
        let mut frames = Frames::default();
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            let is_lost = *self.weather.borrow() == Weather::AnswersLost;
            if is_lost || is_doomed.load(Ordering::SeqCst) {
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
