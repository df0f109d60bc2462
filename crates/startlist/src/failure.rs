//! Why `startlist`, or its doctor, cannot start or go on: one sentence for each, which names the setting.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use server::config::{RedisUrl, UnreadableFile};
use store::doctor::Unfinished;

use crate::owner::NoPassword;

/// Why it ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A port is taken, or the address is not one of this machine.
    #[error("{setting}: cannot listen on {address}: {source}")]
    Listen {
        setting: &'static str,
        address: SocketAddr,
        source: io::Error,
    },
    /// The data folder cannot be made, read or written.
    #[error("--data-dir (STARTLIST_DATA_DIR): cannot use {}: {source}", path.display())]
    DataDir { path: PathBuf, source: io::Error },
    /// The data folder has its `startlist` already.
    #[error("--data-dir (STARTLIST_DATA_DIR): {} is in use by another startlist", .0.display())]
    InUse(PathBuf),
    /// The password of the owner in the data folder is not one, or no more.
    #[error("--data-dir (STARTLIST_DATA_DIR): {0}")]
    OwnerPassword(#[from] NoPassword),
    /// No `startlist` runs in the data folder, whose Redis could be examined.
    #[error(
        "no startlist is running in {}: start one, name its folder with --data-dir (STARTLIST_DATA_DIR), or another Redis with --redis-url (STARTLIST_REDIS_URL)",
        .0.display()
    )]
    NotRunning(PathBuf),
    /// A Redis password that belongs to no URL.
    #[error("{0}: goes with --redis-url (STARTLIST_REDIS_URL), which is not set")]
    NoUrl(&'static str),
    /// The file of a Redis password cannot be read.
    #[error(transparent)]
    RedisPassword(#[from] UnreadableFile),
    /// The examination or a repair was not finished.
    #[error("{address}: {source}")]
    Doctor {
        address: RedisUrl,
        source: Unfinished,
    },
    /// A Redis cannot be reached in this way.
    #[error("--redis-url (STARTLIST_REDIS_URL): {0}")]
    RedisUrl(Box<dyn Error + Send + Sync>),
    /// There is no Redis to start.
    #[error(
        "there is no redis-server and no valkey-server on PATH: `make run` installs one, or name a Redis with --redis-url (STARTLIST_REDIS_URL)"
    )]
    NoRedis,
    /// The private Redis does not start or does not end.
    #[error("the private Redis: {0}")]
    PrivateRedis(io::Error),
    /// A service ended with an error.
    #[error("{service}: {source}")]
    Service {
        service: &'static str,
        source: io::Error,
    },
    /// The system refused something that every process needs.
    #[error("{0}")]
    System(io::Error),
}

impl Failure {
    /// How the process ends, by sysexits.h: 64 (`EX_USAGE`) if a setting is to blame, 71 (`EX_OSERR`) if the
    /// machine is; of the doctor also 69 (`EX_UNAVAILABLE`) if Redis cannot be reached, 77 (`EX_NOPERM`) if it
    /// refuses the user, 70 (`EX_SOFTWARE`) if we are to blame.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Listen { .. }
            | Self::DataDir { .. }
            | Self::InUse(_)
            | Self::OwnerPassword(_)
            | Self::NoUrl(_)
            | Self::RedisPassword(_)
            | Self::RedisUrl(_) => 64,
            Self::NotRunning(_) => 69,
            Self::Doctor { source, .. } => match source {
                Unfinished::Unreachable(_) => 69,
                Unfinished::Failed(_) => 70,
                Unfinished::Refused(_) => 77,
            },
            Self::NoRedis | Self::PrivateRedis(_) | Self::Service { .. } | Self::System(_) => 71,
        }
    }
}
