//! Both services in this process, each the peer of the other, until they have drained.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use server::ServerUrl;
use server::ServiceSettings;
use server::config::{RedisUrl, RunSettings};
use server::health::{ProbeOutcome, probe};
use store::{AdminStore, UserStore};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use user_service::SignUpLimit;

use crate::error::StartlistError;
use crate::owner::Candidates;
use crate::redis::RedisBackend;
use crate::settings::Settings;
use crate::welcome::Welcome;

const ADMIN: &str = "admin-service";
const USER: &str = "user-service";

/// How often to check whether both services are up.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// The listeners of both services, bound before anything is started.
pub(crate) struct Listeners {
    admin: Listener,
    user: Listener,
}

struct Listener {
    socket: TcpListener,
    url: ServerUrl,
}

impl Listeners {
    pub(crate) async fn bind(settings: &Settings) -> Result<Self, StartlistError> {
        let admin = "--admin-listen (STARTLIST_ADMIN_LISTEN)";
        let user = "--user-listen (STARTLIST_USER_LISTEN)";
        Ok(Self {
            admin: Listener::bind(admin, settings.admin_listen).await?,
            user: Listener::bind(user, settings.user_listen).await?,
        })
    }
}

impl Listener {
    async fn bind(setting: &'static str, address: SocketAddr) -> Result<Self, StartlistError> {
        let bound = TcpListener::bind(address).await;
        let socket = bound.map_err(|source| StartlistError::Listen {
            setting,
            address,
            source,
        })?;
        let address = socket.local_addr().map_err(StartlistError::System)?;
        let url = ServerUrl::try_from(address).map_err(io::Error::other);
        Ok(Self {
            socket,
            url: url.map_err(StartlistError::System)?,
        })
    }
}

/// Both services, configured but not started.
pub(crate) struct Services {
    admin: Service<AdminStore>,
    user: Service<UserStore>,
}

struct Service<S> {
    listener: Listener,
    store: S,
    settings: ServiceSettings,
}

/// What happens once both services are SERVING.
struct Ready {
    admin: ServerUrl,
    user: ServerUrl,
    reflection: bool,
    owner: Candidates,
    store: AdminStore,
}

impl Services {
    /// Configures the services to use this Redis and each other. Opens no connection yet.
    pub(crate) fn new(
        listeners: Listeners,
        redis: &RedisBackend,
        run: &RunSettings,
    ) -> Result<Self, StartlistError> {
        let Listeners { admin, user } = listeners;
        let (admin_url, user_url) = (admin.url.clone(), user.url.clone());
        Ok(Self {
            admin: Service::new(AdminStore::new, admin, user_url, redis.url_for(ADMIN)?, run)?,
            user: Service::new(UserStore::new, user, admin_url, redis.url_for(USER)?, run)?,
        })
    }

    pub(crate) fn admin_store(&self) -> &AdminStore {
        &self.admin.store
    }

    /// Serves until `shutdown`, and prints the welcome text once both services are SERVING. If one
    /// of the services ends by itself, the other one drains.
    pub(crate) async fn serve(
        self,
        owner: Candidates,
        sign_ups: SignUpLimit,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), StartlistError> {
        let Self { admin, user } = self;
        let first_owner = owner.first_owner();
        let ready = Ready {
            admin: admin.listener.url,
            user: user.listener.url,
            reflection: admin.settings.run.reflection,
            owner,
            store: admin.store.clone(),
        };
        let end = CancellationToken::new();
        let shutdown_of_service = || end.clone().cancelled_owned();
        let admin = admin_service::serve(
            admin.listener.socket,
            admin.store,
            first_owner,
            admin.settings,
            shutdown_of_service(),
        );
        let user = user_service::serve(
            user.listener.socket,
            user.store,
            sign_ups,
            user.settings,
            shutdown_of_service(),
        );

        let (admin, user, _, _) = tokio::join!(
            then_cancel(Box::pin(admin), &end),
            then_cancel(Box::pin(user), &end),
            then_cancel(end.run_until_cancelled(shutdown), &end),
            end.run_until_cancelled(ready.print()),
        );
        let failed = |service| move |source| StartlistError::Service { service, source };
        admin.map_err(failed(ADMIN)).and(user.map_err(failed(USER)))
    }
}

impl<S> Service<S> {
    fn new(
        store: impl FnOnce(&store::Redis) -> S,
        listener: Listener,
        peer_url: ServerUrl,
        redis_url: RedisUrl,
        run: &RunSettings,
    ) -> Result<Self, StartlistError> {
        let to_redis = store::Redis::new(redis_url.expose(), None)
            .map_err(|error| StartlistError::RedisUrl(error.into()))?;
        Ok(Self {
            listener,
            store: store(&to_redis),
            settings: ServiceSettings {
                redis_url,
                redis_password_file: None,
                peer_url: Some(peer_url),
                health_listen: None,
                run: run.clone(),
            },
        })
    }
}

/// Cancels the token when the future has completed.
async fn then_cancel<T>(future: impl Future<Output = T>, end: &CancellationToken) -> T {
    let output = future.await;
    end.cancel();
    output
}

impl Ready {
    /// Waits until both services are SERVING, checks the owner, then prints the welcome text.
    async fn print(self) {
        while !is_serving(&self.admin).await || !is_serving(&self.user).await {
            sleep(CHECK_INTERVAL).await;
        }
        let owner = self.owner.check(&self.store).await;
        if !owner.unused.is_empty() {
            let unused = owner.unused.join(" and ");
            warn!("there is an owner already; not used: {unused}");
        }
        let welcome = Welcome {
            admin: self.admin,
            user: self.user,
            owner,
            reflection: self.reflection,
        };
        // Ignore a closed pipe, which `println!` would panic on.
        let _ = writeln!(io::stdout(), "{welcome}");
    }
}

async fn is_serving(service: &ServerUrl) -> bool {
    probe(service, "readiness", CHECK_TIMEOUT).await.outcome == ProbeOutcome::Serving
}
