//! The links of a service: to its clients and to Redis. Both can break like any network, and lose
//! the response to a chosen call.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use testkit::Proxy;
use testkit::proxy::{Forward, Unchanged};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::watch;

use super::rewrite::{CommandStream, Rewrite};

/// The link between clients and a service.
pub struct ClientLink {
    pub proxy: Proxy,
    loses_next: Arc<AtomicBool>,
}

impl ClientLink {
    pub(super) async fn start(service: SocketAddr) -> Self {
        let loses_next = Arc::<AtomicBool>::default();
        let shared = Arc::clone(&loses_next);
        let responses = move || GrpcResponses {
            loses_next: Arc::clone(&shared),
            frames: Frames::default(),
        };
        Self {
            proxy: Proxy::start_with(service, move || (Unchanged, responses())).await,
            loses_next,
        }
    }

    /// Discards the next gRPC response and closes its connection.
    pub fn lose_next_response(&self) {
        self.loses_next.store(true, Ordering::SeqCst);
    }

    /// Whether that response has been discarded.
    #[must_use]
    pub fn has_lost_response(&self) -> bool {
        !self.loses_next.load(Ordering::SeqCst)
    }
}

struct GrpcResponses {
    loses_next: Arc<AtomicBool>,
    frames: Frames,
}

impl Forward for GrpcResponses {
    async fn forward(&mut self, bytes: &[u8], to: &mut OwnedWriteHalf) -> io::Result<()> {
        let begins_response = self.frames.read(bytes);
        if begins_response && self.loses_next.swap(false, Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        to.write_all(bytes).await
    }
}

/// Follows the frames of HTTP/2, to tell responses from the frames that the protocol sends by
/// itself.
#[derive(Default)]
struct Frames {
    header: Vec<u8>,
    remaining_body: usize,
}

impl Frames {
    /// Whether a HEADERS frame begins in these bytes, which is the beginning of a response.
    fn read(&mut self, mut bytes: &[u8]) -> bool {
        const HEADER_LENGTH: usize = 9;
        const HEADERS: u8 = 1;
        let mut has_headers = false;
        while !bytes.is_empty() {
            if self.remaining_body > 0 {
                let skipped = self.remaining_body.min(bytes.len());
                self.remaining_body -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let wanted = (HEADER_LENGTH - self.header.len()).min(bytes.len());
            self.header.extend_from_slice(&bytes[..wanted]);
            bytes = &bytes[wanted..];
            if let [a, b, c, kind, ..] = self.header[..]
                && self.header.len() == HEADER_LENGTH
            {
                self.remaining_body = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                has_headers |= kind == HEADERS;
                self.header.clear();
            }
        }
        has_headers
    }
}

/// The link between a service and Redis. What concerns scripts works only with a [`Rewrite`],
/// because otherwise the link does not parse commands.
pub struct RedisLink {
    pub proxy: Proxy,
    scripts: Arc<Scripts>,
}

/// What happens to calls of scripts that may write.
#[derive(Default)]
struct Scripts {
    held: watch::Sender<Held>,
    losses: Mutex<Losses>,
}

#[derive(Clone, Copy, Default)]
struct Held {
    is_on: bool,
    /// How often the held calls were discarded.
    discards: u64,
}

/// The next calls: this many get their replies, then this many do not.
#[derive(Clone, Copy, Default)]
struct Losses {
    after: u32,
    count: u32,
}

impl RedisLink {
    pub(super) async fn start(redis: SocketAddr, rewrite: Option<Rewrite>) -> Self {
        let scripts = Arc::<Scripts>::default();
        let shared = Arc::clone(&scripts);
        let new_connection = move || {
            let loses_reply = Arc::<AtomicBool>::default();
            let commands = Commands {
                stream: rewrite.clone().map(CommandStream::new),
                scripts: Arc::clone(&shared),
                loses_reply: Arc::clone(&loses_reply),
            };
            (commands, Replies { loses_reply })
        };
        Self {
            proxy: Proxy::start_with(redis, new_connection).await,
            scripts,
        }
    }

    /// Holds calls of scripts that may write back from now on. Earlier commands go through.
    pub fn hold_scripts(&self) {
        self.scripts.held.send_modify(|held| held.is_on = true);
    }

    /// Discards the held calls and closes their connections. Later calls go through.
    pub fn discard_held_scripts(&self) {
        self.scripts.held.send_modify(|held| {
            held.is_on = false;
            held.discards += 1;
        });
    }

    /// Discards the replies to `count` calls of scripts that may write, after `after` more of them,
    /// and closes the connection each time. Redis has run these scripts.
    pub fn lose_script_replies(&self, after: u32, count: u32) {
        *self.scripts.losses.lock().expect("no panic") = Losses { after, count };
    }

    /// Stops losing replies. Returns how many were still to be lost.
    #[must_use]
    pub fn stop_losing_replies(&self) -> u32 {
        std::mem::take(&mut *self.scripts.losses.lock().expect("no panic")).count
    }
}

impl Scripts {
    /// Waits while calls are held. Returns false if they were discarded.
    async fn wait_while_held(&self) -> bool {
        let mut held = self.held.subscribe();
        let before = held.borrow().discards;
        let after = held.wait_for(|held| !held.is_on).await.map(|held| *held);
        after.is_ok_and(|after| after.discards == before)
    }

    fn loses_next_reply(&self) -> bool {
        let mut losses = self.losses.lock().expect("no panic");
        if losses.after > 0 {
            losses.after -= 1;
            return false;
        }
        let is_lost = losses.count > 0;
        losses.count = losses.count.saturating_sub(1);
        is_lost
    }
}

struct Commands {
    stream: Option<CommandStream>,
    scripts: Arc<Scripts>,
    loses_reply: Arc<AtomicBool>,
}

impl Forward for Commands {
    async fn forward(&mut self, bytes: &[u8], to: &mut OwnedWriteHalf) -> io::Result<()> {
        let Some(stream) = &mut self.stream else {
            return to.write_all(bytes).await;
        };
        let (before, from_first_write) = stream.read(bytes);
        to.write_all(&before).await?;
        if from_first_write.is_empty() {
            return Ok(());
        }
        if !self.scripts.wait_while_held().await {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if self.scripts.loses_next_reply() {
            self.loses_reply.store(true, Ordering::SeqCst);
        }
        to.write_all(&from_first_write).await
    }
}

struct Replies {
    loses_reply: Arc<AtomicBool>,
}

impl Forward for Replies {
    async fn forward(&mut self, bytes: &[u8], to: &mut OwnedWriteHalf) -> io::Result<()> {
        if self.loses_reply.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        to.write_all(bytes).await
    }
}
