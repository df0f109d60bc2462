//! The health check: whether Redis is a primary that takes writes.

use std::sync::LazyLock;

use deadpool_redis::redis::{Value, cmd};

use super::Redis;
use super::commands::Commands;
use super::connection::SendError;
use super::fault::{Fault, text_of};
use super::reply::decode;
use super::script::{Call, Source};

/// A script without flags that does nothing. Redis refuses it exactly when it would refuse the
/// writes of the store: with OOM, READONLY, MISCONF, NOREPLICAS and MASTERDOWN. It needs no key, and
/// adds nothing to the append-only file or the replication stream (tested with Redis 7.0.15 and
/// Valkey 9.1.2).
static WRITES_NOTHING: LazyLock<Source> =
    LazyLock::new(|| Source::new(&[], "#!lua\nreturn redis.status_reply('OK')\n"));

/// Why a health check failed.
#[derive(Debug, thiserror::Error)]
#[error("{}: {detail}", fault.sentence())]
pub struct CheckFailed {
    /// What is wrong.
    pub fault: Fault,
    /// The text of Redis or of the driver, for the log. It may name addresses.
    pub detail: String,
}

impl Redis {
    /// Checks that Redis replies, is a primary, and takes writes, in one round trip on the
    /// connection of the health check. Fails after at most one second.
    ///
    /// If Redis is not a primary, this connection and those for calls are replaced when they are
    /// needed next.
    pub async fn check(&self) -> Result<(), CheckFailed> {
        let health = &self.inner.health;
        let open = health.open().await?;
        let replies = health.send_on(&open, &check_commands()).await?;
        let result = judge(&replies);
        // A writable replica refuses nothing, so `send_on` did not notice it.
        if let Err(failed) = &result
            && failed.fault.ends_connection()
        {
            health.end_all(&open);
        }
        result
    }
}

fn check_commands() -> Commands {
    let mut info = cmd("INFO");
    info.arg("replication");
    let script = Call::new::<&str>(&WRITES_NOTHING, &[]).into_command();
    // Loads the script each time, which saves a second round trip after a restart.
    [cmd("PING"), WRITES_NOTHING.load(), script, info]
        .into_iter()
        .collect()
}

fn judge(replies: &[Value]) -> Result<(), CheckFailed> {
    for reply in replies {
        if let Value::ServerError(error) = reply {
            return Err(CheckFailed {
                fault: Fault::of(error),
                detail: text_of(error),
            });
        }
    }
    match replies.last() {
        Some(info) if is_replica(info) => Err(CheckFailed {
            fault: Fault::Replica,
            detail: "INFO shows the role of a replica".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn is_replica(info: &Value) -> bool {
    let info: String = decode(info.clone()).unwrap_or_default();
    info.lines().any(|line| line == "role:slave")
}

impl From<SendError> for CheckFailed {
    fn from(error: SendError) -> Self {
        Self {
            fault: Fault::from(&error),
            detail: error.to_string(),
        }
    }
}
