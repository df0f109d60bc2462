//! Both services and a private Redis on one machine, in one process tree.
//!
//! In reading order:
//! - [`settings`]: the command line.
//! - [`unused`]: settings that have no effect, which are logged.
//! - [`data_dir`], [`secret`]: the folder that is kept across runs, and the passwords in it.
//! - [`redis`]: the private Redis, from start to stop.
//! - [`services`]: both services, until they have drained.
//! - [`owner`]: the first owner.
//! - [`welcome`]: the text that is printed once both services are SERVING.
//! - [`doctor`]: the subcommand that examines a running system; [`progress`]: its progress line.
//! - [`unlock`]: the subcommand that clears failed sign-ins.
//! - [`error`]: the errors that end the process.

mod data_dir;
mod doctor;
mod error;
mod owner;
mod progress;
mod redis;
mod secret;
mod services;
mod settings;
mod unlock;
mod unused;
mod welcome;

use std::process::ExitCode;

use server::{parse_or_exit, shutdown_signal, telemetry};
use tokio_util::sync::CancellationToken;

use crate::data_dir::DataDir;
use crate::error::StartlistError;
use crate::owner::Candidates;
use crate::redis::RedisBackend;
use crate::services::{Listeners, Services};
use crate::settings::{Command, Settings};

#[tokio::main]
async fn main() -> ExitCode {
    let settings: Settings = parse_or_exit();
    let ended = match &settings.command {
        Some(Command::Doctor(doctor)) => doctor::run(&settings, doctor).await,
        Some(Command::Unlock(unlock)) => unlock::run(&settings, unlock).await,
        None => Box::pin(run(settings)).await.map(|()| ExitCode::SUCCESS),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("startlist: {error}");
        error.exit_code().into()
    })
}

/// Serves until SIGTERM or SIGINT.
async fn run(settings: Settings) -> Result<(), StartlistError> {
    let _log = telemetry::start(&settings.run.log, settings.run.log_format);
    let shutdown = shutdown_signal().map_err(StartlistError::System)?;
    Candidates::check_settings(&settings)?;
    let listeners = Listeners::bind(&settings).await?;
    let data = DataDir::open(&settings.data_dir)?;
    unused::log(&settings, &data);
    let redis = RedisBackend::start(&settings, &data)?;
    let services = Services::new(listeners, &redis, &settings.run)?;
    let sign_ups = settings.sign_ups.limit();
    let owner = Candidates::find(&settings, &data, services.admin_store()).await?;

    let drained = CancellationToken::new();
    let serve = async {
        // Redis stops only after both services have drained.
        let _stops_redis = drained.drop_guard_ref();
        services.serve(owner, sign_ups, shutdown).await
    };
    let (served, redis_ended) = tokio::join!(serve, redis.supervise(&drained));
    served.and(redis_ended)
}
