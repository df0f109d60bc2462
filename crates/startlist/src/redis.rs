//! The Redis of both services: a private one that is started here, or the one that `--redis-url`
//! names.

use std::io;
use std::time::Duration;

use redis_server::{Options, RedisServer};
use server::config::{InvalidRedisUrl, RedisUrl};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::data_dir::DataDir;
use crate::error::StartlistError;
use crate::settings::Settings;

/// How often to check that the private Redis runs. Calls fail until it is back.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// The pause after an attempt to start Redis has failed.
const FAILED_START_PAUSE: Duration = Duration::from_secs(5);

/// The users of the private Redis.
const USERS: [&str; 3] = ["admin-service", "user-service", "doctor"];

pub(crate) enum RedisBackend {
    /// A child of this process, with a user for each service.
    Private(RedisServer),
    /// A Redis that runs already, with one user for both services.
    Named(RedisUrl),
}

impl RedisBackend {
    /// Starts the private Redis unless a setting names another one. Returns once it has loaded its
    /// data.
    pub(crate) fn start(settings: &Settings, data: &DataDir) -> Result<Self, StartlistError> {
        if let Some(url) = &settings.redis_url {
            return Ok(Self::Named(url.clone()));
        }
        let mut passwords = Vec::with_capacity(USERS.len());
        for user in USERS {
            passwords.push((user.to_owned(), data.redis_password(user)?));
        }
        let options = Options {
            data_dir: data.redis(),
            acl: store::ACL_TEMPLATE.to_owned(),
            passwords,
            ..Options::default()
        };
        match RedisServer::start(options) {
            Ok(server) => {
                info!(address = %server.address(), "the private Redis serves");
                Ok(Self::Private(server))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StartlistError::NoRedis),
            Err(source) => Err(StartlistError::PrivateRedis(source)),
        }
    }

    /// Returns the URL for a service, with its user and password.
    pub(crate) fn url_for(&self, service: &str) -> Result<RedisUrl, StartlistError> {
        match self {
            Self::Named(url) => Ok(url.clone()),
            Self::Private(server) => {
                let url = server.url_for(service).unwrap_or_default();
                url.parse()
                    .map_err(|error: InvalidRedisUrl| StartlistError::RedisUrl(error.into()))
            }
        }
    }

    /// Restarts the private Redis whenever it has ended, for example because it was killed or the
    /// disk was full. Stops it and returns when `end` is cancelled.
    pub(crate) async fn supervise(self, end: &CancellationToken) -> Result<(), StartlistError> {
        let Self::Private(mut server) = self else {
            return Ok(());
        };
        let mut pause = CHECK_INTERVAL;
        while end.run_until_cancelled(sleep(pause)).await.is_some() {
            pause = CHECK_INTERVAL;
            if server.is_running() {
                continue;
            }
            warn!("the private Redis has ended; restarting it");
            let restarted;
            (server, restarted) = in_thread(server, RedisServer::restart).await?;
            if let Err(error) = restarted {
                error!(%error, "the private Redis does not start");
                pause = FAILED_START_PAUSE;
            }
        }
        let (_, stopped) = in_thread(server, RedisServer::stop).await?;
        stopped.map_err(StartlistError::PrivateRedis)
    }
}

/// Runs a blocking operation on another thread.
async fn in_thread<T: Send + 'static>(
    mut server: RedisServer,
    operation: impl FnOnce(&mut RedisServer) -> T + Send + 'static,
) -> Result<(RedisServer, T), StartlistError> {
    let result = spawn_blocking(move || {
        let output = operation(&mut server);
        (server, output)
    });
    let result = result.await.map_err(io::Error::other);
    result.map_err(StartlistError::PrivateRedis)
}
