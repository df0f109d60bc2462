//! One connection that all calls share, replaced when it breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use deadpool_redis::redis::Value;
use deadpool_redis::redis::aio::MultiplexedConnection;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::commands::Commands;
use super::endpoint::{Endpoint, Generation};
use super::fault::end_connection;
use crate::error::Error;

/// After so many timeouts in a row the connection is assumed to be half-open, and is replaced.
const MAX_TIMEOUTS_IN_A_ROW: u32 = 3;
/// The shortest time between two attempts to open a connection, if the first one failed or led to a
/// server that is not the primary: short beside a failover, which takes seconds, and long beside
/// the fraction of a millisecond that an attempt takes.
const RECONNECT_INTERVAL: Duration = Duration::from_millis(100);

/// One connection that all calls share. It is opened when it is first needed.
pub(super) struct SharedConnection {
    endpoint: Arc<Endpoint>,
    open: ArcSwapOption<OpenConnection>,
    in_flight: AtomicUsize,
    /// Whoever opens the connection holds this lock.
    last_attempt: Mutex<Option<Attempt>>,
}

/// An attempt to open the connection.
struct Attempt {
    ended_at: Instant,
    /// All callers that waited for a failed attempt share its error.
    error: Option<SendError>,
}

pub(super) struct OpenConnection {
    connection: MultiplexedConnection,
    generation: Generation,
    timeouts_in_a_row: AtomicU32,
}

/// Why a pipeline got no reply.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum SendError {
    /// No connection could be opened. Nothing was sent.
    #[error("{0}")]
    NotConnected(String),
    /// Redis refused the user or the password. Nothing was sent.
    #[error("{0}")]
    LoginRefused(String),
    /// The connection broke.
    #[error("{0}")]
    ConnectionLost(String),
    /// Redis did not reply in time.
    #[error("{0}")]
    TimedOut(String),
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::LoginRefused(why) => Self::LoginRefused(why),
            SendError::NotConnected(why)
            | SendError::ConnectionLost(why)
            | SendError::TimedOut(why) => Self::Unavailable(why),
        }
    }
}

impl SharedConnection {
    pub(super) fn new(endpoint: Arc<Endpoint>) -> Self {
        Self {
            endpoint,
            open: ArcSwapOption::empty(),
            in_flight: AtomicUsize::new(0),
            last_attempt: Mutex::new(None),
        }
    }

    /// The number of pipelines that wait for their replies.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Sends a pipeline on a connection that [`SharedConnection::open`] returned. Returns one reply
    /// per command, error replies included. If one of them means that another server may be the
    /// primary now, all connections to this one are given up.
    pub(super) async fn send_on(
        &self,
        open: &Arc<OpenConnection>,
        commands: &Commands,
    ) -> Result<Vec<Value>, SendError> {
        let _in_flight = InFlight::new(&self.in_flight);
        let mut connection = open.connection.clone();
        let replies = connection
            .send_packed_commands(commands.pipeline(), 0, commands.len())
            .await;
        match replies {
            Ok(replies) => {
                open.timeouts_in_a_row.store(0, Ordering::Relaxed);
                if end_connection(&replies) {
                    self.end_all(open);
                }
                Ok(replies)
            }
            Err(error) if error.is_timeout() => {
                // The driver keeps a connection after a timeout, so a half-open one would stay.
                let in_a_row = open.timeouts_in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
                if in_a_row >= MAX_TIMEOUTS_IN_A_ROW {
                    self.discard(open);
                }
                Err(SendError::TimedOut(error.to_string()))
            }
            Err(error) => {
                self.discard(open);
                Err(SendError::ConnectionLost(error.to_string()))
            }
        }
    }

    /// Returns the open connection, or opens one. Callers that come while it is being opened wait
    /// for the same attempt.
    pub(super) async fn open(&self) -> Result<Arc<OpenConnection>, SendError> {
        if let Some(open) = self.usable() {
            return Ok(open);
        }
        let waiting_since = Instant::now();
        let mut last_attempt = self.last_attempt.lock().await;
        if let Some(open) = self.usable() {
            return Ok(open);
        }
        if let Some(attempt) = last_attempt.as_ref() {
            match &attempt.error {
                Some(error) if attempt.ended_at >= waiting_since => return Err(error.clone()),
                // A connection that is open and not usable led to a server that is not the primary.
                None if self.open.load().is_none() => {}
                _ => sleep_until(attempt.ended_at + RECONNECT_INTERVAL).await,
            }
        }
        // Before connecting: if the generation ends meanwhile, the new connection is suspect too.
        let generation = self.endpoint.generation();
        // Boxed, because it is rare and would make the future of every call large and deeply
        // nested: the compiler rejects futures that are nested too deeply.
        let connected = Box::pin(self.endpoint.connect()).await;
        *last_attempt = Some(Attempt {
            ended_at: Instant::now(),
            error: connected.as_ref().err().cloned(),
        });
        let open = Arc::new(OpenConnection {
            connection: connected?,
            generation,
            timeouts_in_a_row: AtomicU32::new(0),
        });
        self.open.store(Some(open.clone()));
        Ok(open)
    }

    /// Gives up this connection and all others to the same server, because it is not the primary.
    pub(super) fn end_all(&self, open: &OpenConnection) {
        self.endpoint.end(open.generation);
    }

    fn usable(&self) -> Option<Arc<OpenConnection>> {
        let open = self.open.load_full();
        open.filter(|open| open.generation == self.endpoint.generation())
    }

    /// Gives up a broken connection, unless it was replaced already.
    fn discard(&self, broken: &Arc<OpenConnection>) {
        let current = self.open.load();
        if current
            .as_ref()
            .is_some_and(|open| Arc::ptr_eq(open, broken))
        {
            self.open.compare_and_swap(&current, None);
        }
    }
}

/// Counts a pipeline as in flight until it is dropped, also when the caller gives up.
struct InFlight<'a>(&'a AtomicUsize);

impl<'a> InFlight<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
