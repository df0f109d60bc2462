//! Redis and both services.

use admin_service::FirstOwner;
use clap::Parser;
use domain::{Email, Password, RequestId, Role};
use server::config::RunSettings;
use server::{Passwords, ServiceSettings};
use store::admins::NewAdmin;
use store::users::NewUser;
use store::{AdminStore, PasswordHash, Redis, UserStore};
use testkit::{TestRedis, fixtures};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Channel;

use crate::client::{AdminClient, UserClient, admin_client, channel_to, user_client};
use crate::{Admin, CompetitionBuilder, User};

/// The password of everybody.
pub const PASSWORD: &str = "a start list of my own";

/// A private Redis and both services.
pub struct Startlist {
    /// Its Redis, to be killed, frozen and started again. It ends first: services without a Redis end too.
    pub redis: TestRedis,
    admin_store: AdminStore,
    user_store: UserStore,
    admin_channel: Channel,
    user_channel: Channel,
    _end: DropGuard,
}

/// How to start it.
#[derive(Debug, Default)]
pub struct Builder {
    flags: Vec<String>,
    without_redis: bool,
}

impl Startlist {
    /// Starts it; returns when both services listen and Redis answers.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The same with flags that both services have, such as `["--reflection", "false"]`.
    pub async fn with(flags: &[&str]) -> Self {
        Self::builder().flags(flags).start().await
    }

    /// Says how to start it.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where admin-service listens, for clients that are not generated.
    #[must_use]
    pub fn admin_channel(&self) -> Channel {
        self.admin_channel.clone()
    }

    /// Where user-service listens, for clients that are not generated.
    #[must_use]
    pub fn user_channel(&self) -> Channel {
        self.user_channel.clone()
    }

    /// admin-service, called by nobody in particular.
    #[must_use]
    pub fn admin_service(&self) -> AdminClient {
        admin_client(self.admin_channel(), None)
    }

    /// user-service, called by nobody in particular.
    #[must_use]
    pub fn user_service(&self) -> UserClient {
        user_client(self.user_channel(), None)
    }

    /// admin-service, called with this token.
    #[must_use]
    pub fn admin_service_as(&self, token: &str) -> AdminClient {
        admin_client(self.admin_channel(), Some(token))
    }

    /// user-service, called with this token.
    #[must_use]
    pub fn user_service_as(&self, token: &str) -> UserClient {
        user_client(self.user_channel(), Some(token))
    }

    /// The first OWNER, who is made if need be, in a session of its own.
    pub async fn owner(&self) -> Admin {
        let owner = new_admin("owner", Role::Owner);
        let made = self.admin_store.ensure_owner(&owner, password_hash().await);
        made.await.expect("an owner");
        self.signed_in(&owner.email).await
    }

    /// Somebody who may create and change competitions.
    pub async fn organiser(&self) -> Admin {
        self.new_admin("olga", Role::Organiser).await
    }

    /// Somebody who may look at everything.
    pub async fn viewer(&self) -> Admin {
        self.new_admin("vera", Role::Viewer).await
    }

    /// An admin with this name and this role; the one that there is, if there is one.
    pub async fn new_admin(&self, name: &str, role: Role) -> Admin {
        let new = new_admin(name, role);
        let made = self
            .admin_store
            .create_admin("tests", &new, password_hash().await);
        match made.await {
            Err(store::Error::Rejected(_)) | Ok(_) => self.signed_in(&new.email).await,
            Err(error) => panic!("no admin: {error}"),
        }
    }

    async fn signed_in(&self, email: &Email) -> Admin {
        let attempt = self
            .admin_store
            .credentials()
            .find(email)
            .await
            .expect("an account");
        let session = self
            .admin_store
            .credentials()
            .open_session(&attempt)
            .await
            .expect("a session");
        let token = session.token.expose().to_owned();
        Admin::new(
            session.token.subject().to_owned(),
            email.as_str().to_owned(),
            token.clone(),
            self.admin_service_as(&token),
        )
    }

    /// A user with an account and an open session, made without the work of a password hash. The address
    /// is `<name>@example.org`, the password [`PASSWORD`].
    pub async fn new_user(&self, name: &str) -> User {
        let new = NewUser {
            email: fixtures::email(name),
            profile: fixtures::profile(name),
            request_id: RequestId::random(),
        };
        let made = self.user_store.sign_up(&new, password_hash().await).await;
        let (user, session) = made.expect("an account");
        let token = session.token.expose().to_owned();
        let client = self.user_service_as(&token);
        User::new(
            user.id.to_string(),
            new.email.as_str().to_owned(),
            token,
            client,
        )
    }

    /// Begins a competition: unlimited, starting in 30 days, if nothing else is said.
    pub fn competition(&self) -> CompetitionBuilder<'_> {
        CompetitionBuilder::new(self)
    }
}

impl Builder {
    /// Flags that both services have.
    #[must_use]
    pub fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|&flag| flag.to_owned()));
        self
    }

    /// Redis has ended before the services start; `app.redis.restart()` brings it.
    #[must_use]
    pub fn without_redis(mut self) -> Self {
        self.without_redis = true;
        self
    }

    /// Starts it; returns when both services listen.
    pub async fn start(self) -> Startlist {
        let mut redis = TestRedis::start();
        let (admin, user) = (
            Login::new(&redis, "admin-service", AdminStore::new),
            Login::new(&redis, "user-service", UserStore::new),
        );
        if self.without_redis {
            redis.kill();
        } else {
            let owner = new_admin("owner", Role::Owner);
            let made = admin
                .store
                .ensure_owner(&owner, password_hash().await)
                .await;
            made.expect("an owner");
        }

        let run = RunFlags::parse(&self.flags);
        let (admin_listener, user_listener) = (listener().await, listener().await);
        let (admin_url, user_url) = (url_of(&admin_listener), url_of(&user_listener));
        let end = CancellationToken::new();
        tokio::spawn(admin_service::serve(
            admin_listener,
            admin.store.clone(),
            FirstOwner::ByToken,
            admin.settings(&user_url, run.clone()),
            end.clone().cancelled_owned(),
        ));
        tokio::spawn(user_service::serve(
            user_listener,
            user.store.clone(),
            user.settings(&admin_url, run),
            end.clone().cancelled_owned(),
        ));
        Startlist {
            redis,
            admin_store: admin.store,
            user_store: user.store,
            admin_channel: channel_to(&admin_url),
            user_channel: channel_to(&user_url),
            _end: end.drop_guard(),
        }
    }
}

/// A service's way into Redis.
struct Login<S> {
    url: String,
    store: S,
}

impl<S> Login<S> {
    fn new(redis: &TestRedis, service: &str, store: impl FnOnce(&Redis) -> S) -> Self {
        let url = redis.url(service);
        let redis = Redis::new(&url, None).expect("a URL");
        let store = store(&redis);
        Self { url, store }
    }

    fn settings(&self, peer_url: &str, run: RunSettings) -> ServiceSettings {
        ServiceSettings {
            redis_url: self.url.parse().expect("a URL"),
            redis_password_file: None,
            peer_url: Some(peer_url.parse().expect("a URL")),
            health_listen: None,
            run,
        }
    }
}

/// The flags that both services have, as their command line reads them.
#[derive(Parser)]
struct RunFlags {
    #[command(flatten)]
    run: RunSettings,
}

impl RunFlags {
    fn parse(flags: &[String]) -> RunSettings {
        // As JSON, so that nobody is invited on stdout to become the first owner.
        let ours = ["test", "--lame-duck", "0s", "--log-format", "json"].map(str::to_owned);
        let parsed = Self::try_parse_from(ours.iter().chain(flags));
        parsed.expect("good flags").run
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

fn url_of(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().expect("an address"))
}

/// The hash of [`PASSWORD`], made once: it is dear on purpose.
async fn password_hash() -> &'static PasswordHash {
    static HASH: OnceCell<PasswordHash> = OnceCell::const_new();
    let make = async || {
        let password = Password::parse(PASSWORD.to_owned()).expect("a password");
        Passwords::new().hash(password).await.expect("a hash")
    };
    HASH.get_or_init(make).await
}

fn new_admin(name: &str, role: Role) -> NewAdmin {
    NewAdmin {
        email: fixtures::email(name),
        display_name: fixtures::display_name(name),
        role,
        request_id: RequestId::random(),
    }
}
