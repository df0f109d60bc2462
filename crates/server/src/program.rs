//! The skeleton of a service's binary: from its settings to the end of the drain.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::process;

use clap::Subcommand;
use store::keys::People;
use store::{InvalidUrl, Redis};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime;

use crate::config::{RedisPassword, RedisUrl, ServiceSettings, UnreadableFile};
use crate::exit::{self, exit_with};
use crate::health::ProbeCommand;
use crate::serve::shutdown_signal;
use crate::telemetry;
use crate::unlock::UnlockCommand;

/// The allocator of both services, jemalloc with a background thread that returns unused memory to
/// the system within 10 s: that of password hashes, and of a burst of calls.
///
/// Measured after a burst: 10 MB resident for admin-service, where mimalloc kept 39 MB, and no more
/// CPU. The system's allocator took a sixth of a registration's CPU.
pub use tikv_jemallocator::Jemalloc as Allocator;

/// The subcommands of a service's binary. Without one, it serves.
#[derive(Debug, Clone, Subcommand)]
pub enum ServiceCommand {
    Probe(ProbeCommand),
    Unlock(UnlockCommand),
}

/// What the binaries of both services have in common.
#[derive(Debug)]
pub struct ServiceProgram {
    /// The name that error messages begin with.
    pub name: &'static str,
    /// Who signs in to the service.
    pub people: People,
    pub command: Option<ServiceCommand>,
    pub listen: SocketAddr,
    /// The flag and the variable that `listen` comes from.
    pub listen_setting: &'static str,
    pub settings: ServiceSettings,
}

/// Completes with the first SIGTERM or SIGINT.
pub type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An error that ends the process.
#[derive(Debug, Error)]
enum ProgramError {
    #[error(transparent)]
    RedisPassword(#[from] UnreadableFile),
    #[error("--redis-url (STARTLIST_REDIS_URL): {0}")]
    RedisUrl(#[from] InvalidUrl),
    #[error("{setting}: cannot listen on {address}: {source}")]
    Listen {
        setting: &'static str,
        address: SocketAddr,
        source: io::Error,
    },
    #[error("{address}: {source}")]
    Store {
        address: RedisUrl,
        source: store::Error,
    },
    #[error(transparent)]
    System(#[from] io::Error),
}

impl ProgramError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::RedisPassword(_) | Self::RedisUrl(_) | Self::Listen { .. } => exit::USAGE,
            Self::Store { source, .. } => exit::code_of(source),
            Self::System(_) => exit::OS_ERROR,
        }
    }
}

impl ServiceProgram {
    /// Runs the subcommand, or serves until SIGTERM or SIGINT.
    ///
    /// Errors end the process with one sentence and an exit code: 64 if a setting cannot be used, 71
    /// if the operating system refuses a request.
    pub fn run<Serving>(
        self,
        serve: impl FnOnce(TcpListener, &Redis, ServiceSettings, Shutdown) -> Serving,
    ) where
        Serving: Future<Output = io::Result<()>>,
    {
        let name = self.name;
        // One thread serves all calls, because Redis has one too and is the busier of the two.
        // Replies that are ready at the same time then share one write per connection (measured: 22
        // µs of CPU a registration, 30 with two threads). Passwords are hashed on other threads.
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let ended = runtime
            .map_err(ProgramError::from)
            .and_then(|runtime| runtime.block_on(self.start(serve)));
        if let Err(error) = ended {
            exit_with(name, &error, error.exit_code())
        }
    }

    async fn start<Serving>(
        self,
        serve: impl FnOnce(TcpListener, &Redis, ServiceSettings, Shutdown) -> Serving,
    ) -> Result<(), ProgramError>
    where
        Serving: Future<Output = io::Result<()>>,
    {
        match self.command {
            Some(ServiceCommand::Probe(probe)) => probe.run(self.listen).await,
            Some(ServiceCommand::Unlock(unlock)) => {
                return run_unlock(&unlock, self.people, &self.settings).await;
            }
            None => {}
        }
        let settings = self.settings;
        let _log = telemetry::start(&settings.run.log, settings.run.log_format);
        let shutdown = shutdown_signal()?;
        // Opens no connection yet: Redis need not run.
        let redis = configure_redis(&settings)?;
        let listener = TcpListener::bind(self.listen).await;
        let listener = listener.map_err(|source| ProgramError::Listen {
            setting: self.listen_setting,
            address: self.listen,
            source,
        })?;
        serve(listener, &redis, settings, Box::pin(shutdown)).await?;
        Ok(())
    }
}

fn configure_redis(settings: &ServiceSettings) -> Result<Redis, ProgramError> {
    let password = settings.redis_password()?;
    let password = password.as_ref().map(RedisPassword::expose);
    Ok(Redis::new(settings.redis_url.expose(), password)?)
}

async fn run_unlock(
    unlock: &UnlockCommand,
    people: People,
    settings: &ServiceSettings,
) -> Result<(), ProgramError> {
    let redis = configure_redis(settings)?;
    let report = unlock.run(&redis, people).await;
    let report = report.map_err(|source| ProgramError::Store {
        address: settings.redis_url.clone(),
        source,
    })?;
    println!("{}", report.message);
    if !report.is_unlocked {
        process::exit(1);
    }
    Ok(())
}
