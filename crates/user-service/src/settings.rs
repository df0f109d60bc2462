//! The command line of the binary.

use std::io;
use std::net::SocketAddr;

use clap::{Parser, Subcommand};
use server::ServiceSettings;
use server::config::{RedisPassword, UnreadableFile};
use server::health::ProbeCommand;
use store::{InvalidUrl, Redis, UserStore};
use thiserror::Error;
use tokio::net::TcpListener;

/// The gRPC service for competitors: accounts, competitions to look at, one's own registrations
///
/// Without a subcommand it serves until SIGTERM or Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "user-service", version)]
pub struct Settings {
    /// What to do; `None` = serve.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Where to listen
    #[arg(long, env = "STARTLIST_USER_LISTEN", value_name = "IP:PORT")]
    #[arg(default_value = "127.0.0.1:50052")]
    pub listen: SocketAddr,

    /// What both services have.
    #[command(flatten)]
    pub service: ServiceSettings,
}

/// What the binary does beside serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Asks a running server for its health, says one line about it, and ends with 0 if it is SERVING, 1
    /// if it is not, 2 if nobody could be reached, 3 if no answer came in time.
    Probe(ProbeCommand),
}

/// A setting that is well-formed and still cannot be used. The sentence names it.
#[derive(Debug, Error)]
pub enum UnusableSetting {
    /// The password of the Redis user.
    #[error(transparent)]
    RedisPassword(#[from] UnreadableFile),
    /// Where Redis is.
    #[error("--redis-url (STARTLIST_REDIS_URL): {0}")]
    RedisUrl(#[from] InvalidUrl),
    /// Where to listen.
    #[error("--listen (STARTLIST_USER_LISTEN): cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why the system refused it.
        source: io::Error,
    },
}

impl Settings {
    /// Prepares the store. Redis need not be there yet.
    pub fn connect(&self) -> Result<UserStore, UnusableSetting> {
        let password = self.service.redis_password()?;
        let password = password.as_ref().map(RedisPassword::expose);
        let redis = Redis::new(self.service.redis_url.expose(), password)?;
        Ok(UserStore::new(&redis))
    }

    /// Takes the address, so that clients can connect from now on.
    pub async fn bind(&self) -> Result<TcpListener, UnusableSetting> {
        let address = self.listen;
        let bound = TcpListener::bind(address).await;
        bound.map_err(|source| UnusableSetting::Listen { address, source })
    }
}
