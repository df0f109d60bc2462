//! Fixtures that the tests of all crates share. The product does not contain them.
//!
//! In reading order:
//! - [`TestRedis`]: a private Redis with the users of `users.acl` and the user `root`, who may run
//!   every command.
//! - [`Program`]: a child process with captured output.
//! - [`Proxy`]: a network between a client and a server that can be slowed down, stalled or cut;
//!   [`RoundTrips`]: a proxy before Redis that counts round trips.
//! - [`CompetitionBuilder`] and [`fixtures`]: valid values of the domain.
//! - [`Random`]: random numbers that a seed repeats.
//! - [`eventually`], [`retry`], [`free_address`].
//!
//! Every function and method panics on failure: in a test the panic is the report.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test and its fixtures a panic is the report"
)]

mod competition;
pub mod fixtures;
mod program;
pub mod proxy;
mod random;
mod redis;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::time::sleep;

pub use competition::CompetitionBuilder;
/// The Redis client, for commands that a test sends itself.
pub use deadpool_redis::redis as redis_client;
pub use program::{Exit, Program};
pub use proxy::{Proxy, RoundTrips};
pub use random::Random;
pub use redis::{Builder, ROOT, TestRedis};

/// How long a test waits for something that must happen before it fails. It is far longer than
/// anything takes, also on a busy machine; a test that passes never waits for it.
pub const TIMEOUT: Duration = Duration::from_secs(60);

const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Returns when the condition holds. Panics with `what` after [`TIMEOUT`].
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !holds().await {
        assert!(Instant::now() < deadline, "not within {TIMEOUT:?}: {what}");
        sleep(POLL_INTERVAL).await;
    }
}

/// Repeats a call while it fails with a transient error, as a client does while the machine is busy.
/// Returns the last result after [`TIMEOUT`].
pub async fn retry<T, E>(
    is_transient: impl Fn(&E) -> bool,
    mut call: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        match call().await {
            Err(error) if is_transient(&error) && Instant::now() < deadline => {
                sleep(POLL_INTERVAL).await;
            }
            result => return result,
        }
    }
}

/// An address of 127.0.0.1 that was free a moment ago. Prefer port 0 where the listener can report
/// its port: another process may take this one.
#[must_use]
pub fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a local address")
}
