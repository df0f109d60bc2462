//! Both services in this process, wired to each other, until they have drained.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use admin_service::FirstOwner;
use server::ServerUrl;
use server::ServiceSettings;
use server::config::{RedisUrl, RunSettings};
use server::health::{ProbeOutcome, probe};
use store::{AdminStore, UserStore};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::owner::Owner;
use crate::redis::Redis;
use crate::settings::Settings;
use crate::welcome::Welcome;

const ADMIN: &str = "admin-service";
const USER: &str = "user-service";

/// How often it is looked whether all is up.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// The addresses of both services, taken before anything is started.
pub(crate) struct Listeners {
    admin: Listener,
    user: Listener,
}

struct Listener {
    socket: TcpListener,
    /// Where clients find it.
    url: ServerUrl,
}

impl Listeners {
    pub(crate) async fn bind(settings: &Settings) -> Result<Self, Failure> {
        let admin = "--admin-listen (STARTLIST_ADMIN_LISTEN)";
        let user = "--user-listen (STARTLIST_USER_LISTEN)";
        Ok(Self {
            admin: Listener::bind(admin, settings.admin_listen).await?,
            user: Listener::bind(user, settings.user_listen).await?,
        })
    }
}

impl Listener {
    async fn bind(setting: &'static str, address: SocketAddr) -> Result<Self, Failure> {
        let bound = TcpListener::bind(address).await;
        let socket = bound.map_err(|source| Failure::Listen {
            setting,
            address,
            source,
        })?;
        let address = socket.local_addr().map_err(Failure::System)?;
        let url = ServerUrl::try_from(address).map_err(io::Error::other);
        Ok(Self {
            socket,
            url: url.map_err(Failure::System)?,
        })
    }
}

/// Both services, ready to serve.
pub(crate) struct Services {
    admin: Service<AdminStore>,
    user: Service<UserStore>,
}

struct Service<S> {
    listener: Listener,
    store: S,
    settings: ServiceSettings,
}

impl Services {
    /// Wires the services to each other and to Redis. Nothing is connected yet.
    pub(crate) fn new(
        listeners: Listeners,
        redis: &Redis,
        run: &RunSettings,
    ) -> Result<Self, Failure> {
        let Listeners { admin, user } = listeners;
        let (admin_url, user_url) = (admin.url.clone(), user.url.clone());
        Ok(Self {
            admin: Service::new(AdminStore::new, admin, user_url, redis.url_for(ADMIN)?, run)?,
            user: Service::new(UserStore::new, user, admin_url, redis.url_for(USER)?, run)?,
        })
    }

    /// The store as admin-service may use it.
    pub(crate) fn admin_store(&self) -> &AdminStore {
        &self.admin.store
    }

    /// Serves until `shutdown`, and says so as soon as both are SERVING. If one of the services ends by
    /// itself, the other one drains.
    pub(crate) async fn serve(
        self,
        owner: Option<Owner>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        let Self { admin, user } = self;
        let welcome = Welcome {
            admin: admin.listener.url,
            user: user.listener.url,
            reflection: admin.settings.run.reflection,
            owner,
        };
        let first_owner = match &welcome.owner {
            Some(Owner { email, password }) => FirstOwner::Named {
                email: email.clone(),
                password: password.password().clone(),
            },
            None => FirstOwner::ByToken,
        };
        let end = CancellationToken::new();
        let told = || end.clone().cancelled_owned();
        let store = admin.store.clone();
        let admin = admin_service::serve(
            admin.listener.socket,
            admin.store,
            first_owner,
            admin.settings,
            told(),
        );
        let user = user_service::serve(user.listener.socket, user.store, user.settings, told());

        let (admin, user, _, _) = tokio::join!(
            last(Box::pin(admin), &end),
            last(Box::pin(user), &end),
            last(end.run_until_cancelled(shutdown), &end),
            end.run_until_cancelled(announce(&welcome, &store)),
        );
        let failed = |service| move |source| Failure::Service { service, source };
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
    ) -> Result<Self, Failure> {
        let to_redis = store::Redis::new(redis_url.expose(), None)
            .map_err(|error| Failure::RedisUrl(error.into()))?;
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

/// Does something whose end is the end of all.
async fn last<T>(doing: impl Future<Output = T>, end: &CancellationToken) -> T {
    let done = doing.await;
    end.cancel();
    done
}

/// Waits until both services are SERVING and the owner can sign in, and prints what to do next.
async fn announce(welcome: &Welcome, store: &AdminStore) {
    while !is_serving(&welcome.admin).await || !is_serving(&welcome.user).await {
        sleep(BETWEEN_LOOKS).await;
    }
    while welcome.owner.is_some() && !store.has_owner().await.is_ok_and(|has_owner| has_owner) {
        sleep(BETWEEN_LOOKS).await;
    }
    // Whoever closed the other end does not want to know.
    let _ = writeln!(io::stdout(), "{welcome}");
}

/// Whether calls can be sent there: it is up, and Redis has answered.
async fn is_serving(service: &ServerUrl) -> bool {
    probe(service, "readiness", PATIENCE).await.outcome == ProbeOutcome::Serving
}
