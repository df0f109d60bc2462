//! One connection that all calls share, replaced when it breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use arc_swap::ArcSwapOption;
use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{ErrorKind, RedisError, Value, cmd};
use deadpool_redis::{Connection, Pool, PoolError};
use tokio::sync::Mutex;

use super::clock::Clock;
use super::commands::Commands;
use crate::error::Error;

/// After so many timeouts in a row the connection is assumed to be half-open, and is replaced.
const MAX_TIMEOUTS_IN_A_ROW: u32 = 3;

/// One connection that all calls share. It is opened when it is first needed.
pub(super) struct SharedConnection {
    pool: Pool,
    clock: Arc<Clock>,
    /// The number of connections opened so far, by all shared connections together.
    opened: Arc<AtomicU64>,
    open: ArcSwapOption<OpenConnection>,
    in_flight: AtomicUsize,
    /// The last failed attempt to open the connection. All callers that waited for that attempt
    /// share its error.
    failed: Mutex<Option<(Instant, SendError)>>,
}

pub(super) struct OpenConnection {
    connection: MultiplexedConnection,
    timeouts_in_a_row: AtomicU32,
}

/// Why a pipeline got no reply.
#[derive(Debug, Clone)]
pub(super) enum SendError {
    /// No connection could be opened. Nothing was sent.
    NotConnected(String),
    /// Redis refused the user or the password. Nothing was sent.
    LoginRefused(String),
    /// The connection broke.
    ConnectionLost(String),
    /// Redis did not reply in time.
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
    pub(super) fn new(pool: Pool, clock: Arc<Clock>, opened: Arc<AtomicU64>) -> Self {
        Self {
            pool,
            clock,
            opened,
            open: ArcSwapOption::empty(),
            in_flight: AtomicUsize::new(0),
            failed: Mutex::new(None),
        }
    }

    /// The number of pipelines that wait for their replies.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) async fn send(&self, commands: &Commands) -> Result<Vec<Value>, SendError> {
        let open = self.open().await?;
        self.send_on(&open, commands).await
    }

    /// Sends a pipeline on a connection that [`SharedConnection::open`] returned.
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
        if let Some(open) = self.open.load_full() {
            return Ok(open);
        }
        let waiting_since = Instant::now();
        let mut failed = self.failed.lock().await;
        if let Some(open) = self.open.load_full() {
            return Ok(open);
        }
        if let Some((at, error)) = failed.as_ref()
            && *at >= waiting_since
        {
            return Err(error.clone());
        }
        // Boxed, because it is rare and would make the future of every call large and deeply
        // nested: the compiler rejects futures that are nested too deeply.
        match Box::pin(self.connect()).await {
            Ok(connection) => {
                let open = Arc::new(OpenConnection {
                    connection,
                    timeouts_in_a_row: AtomicU32::new(0),
                });
                self.open.store(Some(open.clone()));
                *failed = None;
                Ok(open)
            }
            Err(error) => {
                *failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Opens a connection and sets the clock by Redis's TIME.
    async fn connect(&self) -> Result<MultiplexedConnection, SendError> {
        let pooled = self.pool.get().await.map_err(|error| match &error {
            PoolError::Backend(cause) => refused_or_not_connected(cause, error.to_string()),
            _ => SendError::NotConnected(error.to_string()),
        })?;
        let mut connection = Connection::take(pooled);
        let time: (i64, i64) = cmd("TIME")
            .query_async(&mut connection)
            .await
            .map_err(|error| refused_or_not_connected(&error, error.to_string()))?;
        self.clock.set(time.0 * 1000 + time.1 / 1000);
        self.opened.fetch_add(1, Ordering::SeqCst);
        Ok(connection)
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

fn refused_or_not_connected(cause: &RedisError, why: String) -> SendError {
    let is_refused = cause.kind() == ErrorKind::AuthenticationFailed
        || matches!(cause.code(), Some("WRONGPASS" | "NOAUTH" | "NOPERM"));
    if is_refused {
        SendError::LoginRefused(why)
    } else {
        SendError::NotConnected(why)
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
