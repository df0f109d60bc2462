//! The address of a Redis, and what all connections to it share.

use std::sync::atomic::{AtomicU64, Ordering};

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{ErrorKind, RedisError, cmd};
use deadpool_redis::{Connection, Pool, PoolError};

use super::clock::Clock;
use super::connection::SendError;

/// The address of a Redis. Another server may take its place behind the address, for example after
/// a failover.
pub(super) struct Endpoint {
    pool: Pool,
    clock: Clock,
    /// The number of connections opened so far.
    opened: AtomicU64,
    generation: AtomicU64,
}

/// The connections that were opened to the same server, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation(u64);

impl Endpoint {
    pub(super) fn new(pool: Pool) -> Self {
        Self {
            pool,
            clock: Clock::new(),
            opened: AtomicU64::new(0),
            generation: AtomicU64::new(0),
        }
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn opened(&self) -> u64 {
        self.opened.load(Ordering::SeqCst)
    }

    /// The generation whose connections may be used.
    pub(super) fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::Acquire))
    }

    /// Ends a generation: all its connections are replaced before they are used again, because one
    /// of them led to a server that is not the primary. Does nothing if it ended already.
    pub(super) fn end(&self, Generation(ended): Generation) {
        let next = ended.wrapping_add(1);
        let _ = self
            .generation
            .compare_exchange(ended, next, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Opens a connection, and sets the clock by Redis's TIME. The driver looks the host name up
    /// each time (`connect_simple` of redis 1.8.1).
    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, SendError> {
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
