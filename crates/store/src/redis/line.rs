//! One connection that many use at the same time, replaced when it breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use arc_swap::ArcSwapOption;
use deadpool_redis::Pool;
use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{self, Pipeline, Value};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::error::Error;

/// After so many commands in a row without an answer the connection is taken for half-open.
const TIMEOUTS_TO_REPLACE: u32 = 3;

/// One connection that many use at the same time.
pub(super) struct Line {
    pool: Pool,
    clock: Arc<Clock>,
    /// How many connections all lines have opened.
    opened: Arc<AtomicU64>,
    live: ArcSwapOption<Live>,
    under_way: AtomicUsize,
    /// When opening last failed, and why: all who waited for that attempt share its end.
    opening: Mutex<Option<(Instant, String)>>,
}

pub(super) struct Live {
    connection: MultiplexedConnection,
    timeouts_in_a_row: AtomicU32,
}

/// A connection on which no answer came.
pub(super) enum Lost {
    /// There was none, and none could be opened: nothing was sent.
    Closed(String),
    /// It broke; a new one may do.
    Broken(String),
    /// Time is up.
    Late(String),
}

impl From<Lost> for Error {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Closed(why) | Lost::Broken(why) | Lost::Late(why) => Self::Unavailable(why),
        }
    }
}

impl Line {
    pub(super) fn new(pool: Pool, clock: Arc<Clock>, opened: Arc<AtomicU64>) -> Self {
        Self {
            pool,
            clock,
            opened,
            live: ArcSwapOption::empty(),
            under_way: AtomicUsize::new(0),
            opening: Mutex::new(None),
        }
    }

    /// How many exchanges wait for their answers.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    pub(super) async fn send(&self, commands: &Pipeline) -> Result<Vec<Value>, Lost> {
        let live = self.open().await?;
        self.send_on(&live, commands).await
    }

    /// Sends commands on a connection that was open a moment ago.
    pub(super) async fn send_on(
        &self,
        live: &Arc<Live>,
        commands: &Pipeline,
    ) -> Result<Vec<Value>, Lost> {
        let _under_way = UnderWay::on(self);
        let mut connection = live.connection.clone();
        match connection
            .send_packed_commands(commands, 0, commands.len())
            .await
        {
            Ok(answers) => {
                live.timeouts_in_a_row.store(0, Ordering::Relaxed);
                Ok(answers)
            }
            Err(error) if error.is_timeout() => {
                let in_a_row = live.timeouts_in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
                if in_a_row >= TIMEOUTS_TO_REPLACE {
                    self.close(live);
                }
                Err(Lost::Late(error.to_string()))
            }
            Err(error) => {
                self.close(live);
                Err(Lost::Broken(error.to_string()))
            }
        }
    }

    /// The connection, opened if need be, by one for all who wait.
    pub(super) async fn open(&self) -> Result<Arc<Live>, Lost> {
        if let Some(live) = self.live.load_full() {
            return Ok(live);
        }
        let since = Instant::now();
        let mut failed = self.opening.lock().await;
        if let Some(live) = self.live.load_full() {
            return Ok(live);
        }
        if let Some((at, why)) = failed.as_ref()
            && *at >= since
        {
            return Err(Lost::Closed(why.clone()));
        }
        // Boxed, so that the rare way to a new connection does not make every call's future as large and
        // as deep as it is: the compiler gives up on futures that are nested too deeply.
        match Box::pin(self.connect()).await {
            Ok(connection) => {
                let live = Arc::new(Live {
                    connection,
                    timeouts_in_a_row: AtomicU32::new(0),
                });
                self.live.store(Some(live.clone()));
                *failed = None;
                Ok(live)
            }
            Err(why) => {
                *failed = Some((Instant::now(), why.clone()));
                Err(Lost::Closed(why))
            }
        }
    }

    /// Opens a connection and asks Redis what time it is.
    async fn connect(&self) -> Result<MultiplexedConnection, String> {
        let connection = self.pool.get().await.map_err(|error| error.to_string())?;
        let mut connection = deadpool_redis::Connection::take(connection);
        let time: (i64, i64) = redis::cmd("TIME")
            .query_async(&mut connection)
            .await
            .map_err(|error| error.to_string())?;
        self.clock.set(time.0 * 1000 + time.1 / 1000);
        self.opened.fetch_add(1, Ordering::SeqCst);
        Ok(connection)
    }

    /// Gives a connection up, unless another one has taken its place already.
    fn close(&self, broken: &Arc<Live>) {
        let current = self.live.load();
        if current
            .as_ref()
            .is_some_and(|live| Arc::ptr_eq(live, broken))
        {
            self.live.compare_and_swap(&current, None);
        }
    }
}

/// An exchange that waits for its answers. Dropped also when the caller gives up.
struct UnderWay<'a>(&'a Line);

impl<'a> UnderWay<'a> {
    fn on(line: &'a Line) -> Self {
        line.under_way.fetch_add(1, Ordering::Relaxed);
        Self(line)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
