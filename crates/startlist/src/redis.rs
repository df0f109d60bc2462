//! The Redis of both services: a private one, which is started here, or one that a setting names.

use std::io;
use std::time::Duration;

use redis_server::{Options, RedisServer};
use server::config::{InvalidRedisUrl, RedisUrl};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::data_dir::DataDir;
use crate::failure::Failure;
use crate::settings::Settings;

/// How often the private Redis is looked after: once it is back, calls work again.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// How long it is left alone after it did not start.
const AFTER_A_FAILURE: Duration = Duration::from_secs(5);

/// Who has a password for the private Redis.
const USERS: [&str; 3] = ["admin-service", "user-service", "doctor"];

/// Redis, while it is needed.
pub(crate) enum Redis {
    /// A child of this process, with a user for each service.
    Private(RedisServer),
    /// Somebody else's, with one user for both services.
    Named(RedisUrl),
}

impl Redis {
    /// Starts the private Redis, unless another one is named. Returns once it has read its data.
    pub(crate) fn start(settings: &Settings, data: &DataDir) -> Result<Self, Failure> {
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
                info!(address = %server.address(), "the private Redis is there");
                Ok(Self::Private(server))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::NoRedis),
            Err(source) => Err(Failure::PrivateRedis(source)),
        }
    }

    /// Where a service finds it, and as whom.
    pub(crate) fn url_for(&self, service: &str) -> Result<RedisUrl, Failure> {
        match self {
            Self::Named(url) => Ok(url.clone()),
            Self::Private(server) => {
                let url = server.url_for(service).unwrap_or_default();
                url.parse()
                    .map_err(|error: InvalidRedisUrl| Failure::RedisUrl(error.into()))
            }
        }
    }

    /// Keeps the private Redis running: one that ended, because somebody killed it or the disk was full,
    /// is started again. Ends it, and returns, once it is told to.
    pub(crate) async fn keep_until(self, end: &CancellationToken) -> Result<(), Failure> {
        let Self::Private(mut server) = self else {
            return Ok(());
        };
        let mut pause = BETWEEN_LOOKS;
        while end.run_until_cancelled(sleep(pause)).await.is_some() {
            pause = BETWEEN_LOOKS;
            if server.is_running() {
                continue;
            }
            warn!("the private Redis has ended, and is started again");
            let restarted;
            (server, restarted) = apart(server, RedisServer::restart).await?;
            if let Err(error) = restarted {
                error!(%error, "the private Redis does not start");
                pause = AFTER_A_FAILURE;
            }
        }
        let (_, stopped) = apart(server, RedisServer::stop).await?;
        stopped.map_err(Failure::PrivateRedis)
    }
}

/// Does what blocks on a thread of its own.
async fn apart<T: Send + 'static>(
    mut server: RedisServer,
    act: impl FnOnce(&mut RedisServer) -> T + Send + 'static,
) -> Result<(RedisServer, T), Failure> {
    let acted = spawn_blocking(move || {
        let done = act(&mut server);
        (server, done)
    });
    let acted = acted.await.map_err(io::Error::other);
    acted.map_err(Failure::PrivateRedis)
}
