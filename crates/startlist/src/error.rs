//! The errors that end `startlist` or its doctor. Each is one sentence, which names the setting.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use server::config::{RedisUrl, UnreadableFile, UnusablePassword};
use server::exit;

/// An error that ends the process.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartlistError {
    #[error("{setting}: cannot listen on {address}: {source}")]
    Listen {
        setting: &'static str,
        address: SocketAddr,
        source: io::Error,
    },
    #[error("--data-dir (STARTLIST_DATA_DIR): cannot use {}: {source}", path.display())]
    DataDir { path: PathBuf, source: io::Error },
    #[error("--data-dir (STARTLIST_DATA_DIR): {} is in use by another startlist", .0.display())]
    InUse(PathBuf),
    /// The file in the data folder with the owner's password was changed or removed.
    #[error("--data-dir (STARTLIST_DATA_DIR): {0}")]
    OwnerPassword(#[from] UnusablePassword),
    /// The password in the file that the setting names is the owner's e-mail address.
    #[error("--owner-password-file (STARTLIST_OWNER_PASSWORD_FILE): {0}")]
    OwnerPasswordFile(UnusablePassword),
    /// A subcommand found no private Redis in the data folder.
    #[error(
        "no startlist is running in {}: start one, or set --data-dir (STARTLIST_DATA_DIR) to its folder, or set --redis-url (STARTLIST_REDIS_URL) to another Redis",
        .0.display()
    )]
    NotRunning(PathBuf),
    /// A password for Redis is set without a URL.
    #[error("{0}: needs --redis-url (STARTLIST_REDIS_URL), which is not set")]
    NoUrl(&'static str),
    #[error(transparent)]
    RedisPassword(#[from] UnreadableFile),
    #[error("{address}: {source}")]
    Store {
        address: RedisUrl,
        source: store::Error,
    },
    #[error("--redis-url (STARTLIST_REDIS_URL): {0}")]
    RedisUrl(Box<dyn Error + Send + Sync>),
    #[error(
        "there is no redis-server and no valkey-server on PATH: `make run` installs one, or set --redis-url (STARTLIST_REDIS_URL) to a running Redis"
    )]
    NoRedis,
    #[error("the private Redis: {0}")]
    PrivateRedis(io::Error),
    #[error("{service}: {source}")]
    Service {
        service: &'static str,
        source: io::Error,
    },
    #[error("{0}")]
    System(io::Error),
}

impl StartlistError {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Listen { .. }
            | Self::DataDir { .. }
            | Self::InUse(_)
            | Self::OwnerPassword(_)
            | Self::OwnerPasswordFile(_)
            | Self::NoUrl(_)
            | Self::RedisPassword(_)
            | Self::RedisUrl(_) => exit::USAGE,
            Self::NotRunning(_) => exit::UNAVAILABLE,
            Self::Store { source, .. } => exit::code_of(source),
            Self::NoRedis | Self::PrivateRedis(_) | Self::Service { .. } | Self::System(_) => {
                exit::OS_ERROR
            }
        }
    }
}
