//! Redis and both services.

use std::net::Ipv4Addr;

use admin_service::FirstOwner;
use api::v1::Competition;
use api::{admin, user};
use clap::Parser;
use domain::{AdminId, Email, Password, RequestId, Role};
use server::config::RunSettings;
use server::{HashCaller, Passwords, ServiceSettings};
use store::admins::NewAdmin;
use store::users::NewUser;
use store::{AdminStore, Origin, PasswordHash, Redis, UserStore};
use testkit::{TestRedis, fixtures};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Status;
use tonic::transport::Channel;
use user_service::SignUpSettings;

use crate::client::{
    AdminClient, UserClient, admin_client, admin_sign_in, channel_from, channel_to, sign_in,
    user_client,
};
use crate::{Admin, CompetitionSetup, User};

/// The password of every user and admin of a test.
pub const PASSWORD: &str = "a start list of my own";

/// A private Redis and both services.
pub struct Startlist {
    /// Its Redis, for a test that kills, freezes or restarts it. It is dropped, and so ends, first:
    /// the services also end without Redis.
    pub redis: TestRedis,
    admin_store: AdminStore,
    user_store: UserStore,
    admin_channel: Channel,
    user_channel: Channel,
    admin_url: String,
    user_url: String,
    _end: DropGuard,
}

/// The options of a [`Startlist`].
#[derive(Debug, Default)]
#[must_use]
pub struct Builder {
    flags: Vec<String>,
    without_redis: bool,
}

impl Startlist {
    /// Starts it; returns when both services listen and Redis accepts commands.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Starts it with flags that both services have, such as `["--reflection", "false"]`.
    pub async fn with(flags: &[&str]) -> Self {
        Self::builder().flags(flags).start().await
    }

    /// Begins with the defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The channel to admin-service, for clients that are not generated.
    #[must_use]
    pub fn admin_channel(&self) -> Channel {
        self.admin_channel.clone()
    }

    /// The channel to user-service, for clients that are not generated.
    #[must_use]
    pub fn user_channel(&self) -> Channel {
        self.user_channel.clone()
    }

    /// The URL of user-service, for other programs.
    #[must_use]
    pub fn user_url(&self) -> &str {
        &self.user_url
    }

    /// A client of admin-service without a credential.
    #[must_use]
    pub fn admin_service(&self) -> AdminClient {
        admin_client(self.admin_channel(), None)
    }

    /// A client of user-service without a credential.
    #[must_use]
    pub fn user_service(&self) -> UserClient {
        user_client(self.user_channel(), None)
    }

    /// A client of admin-service without a credential, from the network `127.0.<network>.0/24`.
    #[must_use]
    pub fn admin_service_from(&self, network: u8) -> AdminClient {
        admin_client(channel_from(network, &self.admin_url), None)
    }

    /// A client of user-service without a credential, from the network `127.0.<network>.0/24`.
    #[must_use]
    pub fn user_service_from(&self, network: u8) -> UserClient {
        user_client(channel_from(network, &self.user_url), None)
    }

    /// A client of admin-service with this token.
    #[must_use]
    pub fn admin_service_as(&self, token: &str) -> AdminClient {
        admin_client(self.admin_channel(), Some(token))
    }

    /// A client of user-service with this token.
    #[must_use]
    pub fn user_service_as(&self, token: &str) -> UserClient {
        user_client(self.user_channel(), Some(token))
    }

    /// The first owner, created if absent, in a session of its own.
    pub async fn owner(&self) -> Admin {
        let owner = new_admin("owner", Role::Owner);
        let hash = password_hash().await;
        let created = retry(async || self.admin_store.ensure_owner(&owner, hash).await);
        created.await.expect("an owner");
        self.open_admin_session(&owner.email).await
    }

    /// An admin who may create and change competitions.
    pub async fn organiser(&self) -> Admin {
        self.new_admin("olga", Role::Organiser).await
    }

    /// An admin who may read everything.
    pub async fn viewer(&self) -> Admin {
        self.new_admin("vera", Role::Viewer).await
    }

    /// An admin with this name, created with this role if absent, in a session of its own.
    pub async fn new_admin(&self, name: &str, role: Role) -> Admin {
        let new = new_admin(name, role);
        let by = AdminId::parse("tests").expect("an id");
        let hash = password_hash().await;
        let created = retry(async || self.admin_store.create_admin(&by, &new, hash).await);
        match created.await {
            Err(store::Error::Rejected(_)) | Ok(_) => self.open_admin_session(&new.email).await,
            Err(error) => panic!("no admin: {error}"),
        }
    }

    async fn open_admin_session(&self, email: &Email) -> Admin {
        let credentials = self.admin_store.credentials();
        let here = Origin::network(Ipv4Addr::new(127, 0, 0, 0).into());
        let attempt = retry(async || credentials.begin(email, here).await).await;
        let attempt = attempt.expect("an account");
        let session = retry(async || credentials.open_session(&attempt).await);
        let token = session.await.expect("a session").token;
        Admin::new(
            token.subject().to_owned(),
            email.as_str().to_owned(),
            token.expose().to_owned(),
            self.admin_service_as(token.expose()),
        )
    }

    /// A user with the address `<name>@example.org`, the password [`PASSWORD`] and an open session.
    /// It is made in the store, because hashing a password for each user would take too long.
    pub async fn new_user(&self, name: &str) -> User {
        let new = NewUser {
            email: fixtures::email(name),
            profile: fixtures::profile(name),
            request_id: RequestId::random(),
            network: None,
        };
        let hash = password_hash().await;
        let created = retry(async || self.user_store.sign_up(&new, hash).await);
        let (user, session) = created.await.expect("an account");
        let token = session.token.expose();
        User::new(
            user.id.to_string(),
            new.email.as_str().to_owned(),
            token.to_owned(),
            self.user_service_as(token),
        )
    }

    /// One user for each name.
    pub async fn users<const N: usize>(&self, names: [&str; N]) -> [User; N] {
        let mut users = Vec::new();
        for name in names {
            users.push(self.new_user(name).await);
        }
        let users = users.try_into();
        users.unwrap_or_else(|_| unreachable!("there are as many users as names"))
    }

    /// One user for each name, registered in this order: confirmed or waiting.
    pub async fn registered<const N: usize>(
        &self,
        competition: &Competition,
        names: [&str; N],
    ) -> [User; N] {
        let users = self.users(names).await;
        for user in &users {
            user.register(competition).await.expect("registered");
        }
        users
    }

    /// Signs in as a user.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
    ) -> Result<user::SignInResponse, Status> {
        sign_in(self.user_service(), email, password).await
    }

    /// Signs in as an admin.
    pub async fn admin_sign_in(
        &self,
        email: &str,
        password: &str,
    ) -> Result<admin::SignInResponse, Status> {
        admin_sign_in(self.admin_service(), email, password).await
    }

    pub fn competition(&self) -> CompetitionSetup<'_> {
        CompetitionSetup::new(self)
    }
}

impl Builder {
    /// Adds flags that both services have.
    pub fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|&flag| flag.to_owned()));
        self
    }

    /// Kills Redis before the services start; `app.redis.restart()` starts it again.
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

        let flags = RunFlags::parse(&self.flags);
        let run = flags.run;
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
            flags.sign_ups.limit(),
            user.settings(&admin_url, run),
            end.clone().cancelled_owned(),
        ));
        Startlist {
            redis,
            admin_store: admin.store,
            user_store: user.store,
            admin_channel: channel_to(&admin_url),
            user_channel: channel_to(&user_url),
            admin_url,
            user_url,
            _end: end.drop_guard(),
        }
    }
}

/// The login of one service at Redis.
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

/// The flags of the services, parsed as on their command line.
#[derive(Parser)]
struct RunFlags {
    #[command(flatten)]
    run: RunSettings,
    #[command(flatten)]
    sign_ups: SignUpSettings,
}

impl RunFlags {
    fn parse(flags: &[String]) -> Self {
        // As JSON, because in the text format admin-service prints a token for the first owner.
        let ours = ["test", "--lame-duck", "0s", "--log-format", "json"].map(str::to_owned);
        let parsed = Self::try_parse_from(ours.iter().chain(flags));
        parsed.expect("good flags")
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

fn url_of(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().expect("an address"))
}

/// Repeats a call of the store that timed out, because Redis may be slow on a busy machine.
async fn retry<T>(call: impl AsyncFnMut() -> store::Result<T>) -> store::Result<T> {
    let is_transient =
        |error: &_| matches!(error, store::Error::Unavailable(_) | store::Error::TooLate);
    testkit::retry(is_transient, call).await
}

/// The hash of [`PASSWORD`], computed once because hashing is slow on purpose.
async fn password_hash() -> &'static PasswordHash {
    static HASH: OnceCell<PasswordHash> = OnceCell::const_new();
    let make = async || {
        let password = Password::parse(PASSWORD.to_owned()).expect("a password");
        Passwords::new()
            .hash(HashCaller::SERVER, password)
            .await
            .expect("a hash")
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
