//! A Redis, both services as the real programs, and a proxy on every way between them.

use std::collections::BTreeMap;
use std::env;
use std::fs::write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use api::diagnostics::GetHealthReportRequest;
use api::diagnostics::diagnostics_service_client::DiagnosticsServiceClient;
use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{Client, FromRedisValue, cmd};
use domain::{
    Actor, Club, CompetitionId, DisplayName, Email, Password, Profile, RequestId, Role, UserId,
};
use integration_tests::{PASSWORD, Program, channel_to, eventually};
use redis_server::{Options, RedisServer};
use server::Passwords;
use store::admins::NewAdmin;
use store::users::NewUser;
use store::{AdminStore, PageRequest, PasswordHash, Redis, Store, UserStore};
use tempfile::{NamedTempFile, TempDir};
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint};

use crate::ask::{Asker, Who};
use crate::checker::Logs;
use crate::proxy::Proxy;
use crate::rewrite::Rewrite;

/// The user of the tests themselves, who may do everything.
const ROOT: &str = "\nuser root on #@ROOT_SHA256@ ~* &* +@all\n";
/// More than a service takes to begin, on a busy machine.
const LONGEST_START: Duration = Duration::from_secs(60);

/// A Redis and both services. All of it ends with this value.
pub struct World {
    /// admin-service.
    pub admin: Service,
    /// user-service.
    pub user: Service,
    /// Redis.
    pub redis: RedisServer,
    /// An owner.
    pub owner: Who,
    /// Where people come from.
    pub accounts: Accounts,
    folder: TempDir,
}

/// Makes accounts beside the services, without the work of a password hash for each.
#[derive(Clone)]
pub struct Accounts {
    store: UserStore,
    password: PasswordHash,
}

/// A service as a process, and the ways to and from it.
pub struct Service {
    /// Between the service and Redis.
    pub to_redis: Proxy,
    /// Between clients and the service.
    pub to_clients: Proxy,
    /// Connections of the same Redis user, beside the service.
    beside: Redis,
    name: &'static str,
    listen: SocketAddr,
    redis_url: String,
    /// How far its clock is moved, for a process that is started so.
    clock: NamedTempFile,
    program: Option<Program>,
}

/// A user with a session.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// The address.
    pub email: String,
    /// The session's token.
    pub token: String,
}

impl World {
    /// Starts it; returns when both services listen.
    pub async fn start() -> Self {
        Self::with(&[], None).await
    }

    /// With more settings of Redis, and with commands that are changed on their way to it.
    pub async fn with(settings: &[(&str, &str)], rewrite: Option<Rewrite>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::on(folder, settings, rewrite).await
    }

    /// With the data of Redis in this folder.
    pub async fn on(folder: TempDir, settings: &[(&str, &str)], rewrite: Option<Rewrite>) -> Self {
        let redis = RedisServer::start(Options {
            program: env::var_os("STARTLIST_TEST_REDIS_SERVER").map(Into::into),
            data_dir: folder.path().to_owned(),
            acl: format!("{}{ROOT}", store::ACL_TEMPLATE),
            settings: settings
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            ..Options::default()
        })
        .expect("redis-server is installed");
        let password = Password::parse(PASSWORD.to_owned()).expect("a password");
        let password = Passwords::new().hash(password).await.expect("a hash");
        let admin = Service::new("admin-service", &redis, rewrite.clone()).await;
        let owner = make_owner(&AdminStore::new(&admin.beside), &password).await;
        let user = Service::new("user-service", &redis, rewrite).await;
        let mut world = Self {
            accounts: Accounts {
                store: UserStore::new(&user.beside),
                password,
            },
            admin,
            user,
            redis,
            owner,
            folder,
        };
        world.admin.run(&[]).await;
        world.user.run(&[]).await;
        world
    }

    /// An organiser whose name nobody else has.
    pub async fn organiser(&self, name: &str) -> Who {
        let new = NewAdmin {
            email: email(name),
            display_name: DisplayName::parse(name).expect("a name"),
            role: Role::Organiser,
            request_id: RequestId::random(),
        };
        let store = AdminStore::new(&self.admin.beside);
        let made = store.create_admin("torture", &new, &self.accounts.password);
        made.await.expect("an account");
        sign_in(&store, &new.email).await
    }

    /// Returns when both services answer through the proxies, with an answer of Redis.
    pub async fn is_well(&self) {
        let asker = Asker::new(self);
        eventually("the services answer", async || {
            let by_organiser = asker.catalogue(&self.owner).await.is_ok();
            let nobody = Who {
                actor: Actor::Rules,
                token: String::new(),
            };
            by_organiser && asker.catalogue(&nobody).await.is_ok()
        })
        .await;
    }

    /// Where Redis keeps its data.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// Sends Redis a command that only the tests may send.
    pub async fn root<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let url = self.redis.url_for("root").expect("a user");
        let client = Client::open(url).expect("a URL");
        let connection = client.get_multiplexed_async_connection().await;
        let mut call = cmd(command[0]);
        call.arg(&command[1..]);
        call.query_async(&mut connection.expect("a connection"))
            .await
            .expect("an answer")
    }

    /// A connection of a user who may do everything, which is opened again when it breaks.
    #[must_use]
    pub fn root_connection(&self) -> RootConnection {
        let url = self.redis.url_for("root").expect("a user");
        RootConnection {
            client: Client::open(url).expect("a URL"),
            open: None,
        }
    }

    /// The whole logs of these competitions.
    pub async fn logs(&self, competitions: &[CompetitionId]) -> Logs {
        let store = AdminStore::new(&self.admin.beside);
        let mut logs = BTreeMap::new();
        for competition in competitions {
            let mut log = Vec::new();
            let mut page = PageRequest {
                size: 200,
                after: None,
            };
            loop {
                let read = store.audit_entries(competition, &page).await;
                let Ok(mut read) = read else { break };
                log.append(&mut read.items);
                match read.next {
                    Some(next) => page.after = Some(next),
                    None => break,
                }
            }
            logs.insert(competition.clone(), log);
        }
        logs
    }

    /// What is wrong with what stands in Redis: sets against logs, indexes, seals, catalogue.
    pub async fn findings(&self) -> Vec<String> {
        let url = self.redis.url_for("doctor").expect("a user");
        let doctor = Store::new(&url, None).expect("a URL");
        // Behind a seal nothing may change: the examination looks at both.
        AdminStore::new(&self.admin.beside)
            .seal_all()
            .await
            .expect("sealed");
        let report = doctor.examine(|_| {}).await.expect("a report");
        report.findings.iter().map(ToString::to_string).collect()
    }
}

/// See [`World::root_connection`].
pub struct RootConnection {
    client: Client,
    open: Option<MultiplexedConnection>,
}

impl RootConnection {
    /// Sends a command. Answers nothing if Redis is away.
    pub async fn send<T: FromRedisValue>(&mut self, command: &[Vec<u8>]) -> Option<T> {
        if self.open.is_none() {
            self.open = self.client.get_multiplexed_async_connection().await.ok();
        }
        let mut call = cmd(std::str::from_utf8(&command[0]).expect("a name"));
        call.arg(&command[1..]);
        let answer = call.query_async(self.open.as_mut()?).await;
        if answer.is_err() {
            self.open = None;
        }
        answer.ok()
    }
}

impl Accounts {
    /// A user whose name nobody else has. Waits for a Redis that is away.
    pub async fn person(&self, name: &str) -> Person {
        let new = NewUser {
            email: email(name),
            profile: Profile {
                display_name: DisplayName::parse(name).expect("a name"),
                country_code: None,
                birth_date: None,
                club: Club::parse("").expect("a club may be empty"),
            },
            request_id: RequestId::random(),
        };
        let began = tokio::time::Instant::now();
        let (user, session) = loop {
            match self.store.sign_up(&new, &self.password).await {
                Ok(made) => break made,
                Err(error) => assert!(began.elapsed() < LONGEST_START, "no account: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        Person {
            id: user.id,
            email: new.email.as_str().to_owned(),
            token: session.token.expose().to_owned(),
        }
    }
}

impl Service {
    async fn new(name: &'static str, redis: &RedisServer, rewrite: Option<Rewrite>) -> Self {
        let direct = redis.url_for(name).expect("the ACL knows the service");
        let to_redis = match rewrite {
            Some(rewrite) => Proxy::rewriting(redis.address(), rewrite).await,
            None => Proxy::before(redis.address()).await,
        };
        let listen = free_address();
        Self {
            redis_url: direct.replace(&redis.address().to_string(), &to_redis.address.to_string()),
            to_clients: Proxy::before(listen).await,
            to_redis,
            beside: Redis::new(&direct, None).expect("a URL"),
            name,
            listen,
            clock: NamedTempFile::new().expect("a file"),
            program: None,
        }
    }

    /// A way to it for clients, through the proxy. Connects when it is used, and again when it broke.
    #[must_use]
    pub fn channel(&self) -> Channel {
        let url = format!("http://{}", self.to_clients.address);
        let endpoint = Endpoint::from_shared(url).expect("a URL");
        endpoint
            .connect_timeout(Duration::from_secs(2))
            .connect_lazy()
    }

    /// Starts the process with this environment, and returns when it listens.
    pub async fn run(&mut self, environment: &[(&str, &str)]) {
        let listen = self.listen.to_string();
        let mut settings = vec![
            ("STARTLIST_REDIS_URL", self.redis_url.as_str()),
            ("STARTLIST_LOG", "error"),
            ("STARTLIST_LOG_FORMAT", "json"),
        ];
        settings.extend(environment);
        let flags = ["--listen", &listen];
        self.program = Some(Program::start(self.name, &flags, &settings));
        let listen = self.listen;
        let began = tokio::time::Instant::now();
        while TcpStream::connect(listen).await.is_err() {
            assert!(
                began.elapsed() < LONGEST_START,
                "{} does not start",
                self.name
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Starts the process with a clock that can be moved, by this library.
    pub async fn run_with_clock(&mut self, library: &str) {
        let offset = self.clock.path().to_str().expect("a path").to_owned();
        write(&offset, "+0").expect("written");
        let settings = [
            ("LD_PRELOAD", library),
            ("FAKETIME_TIMESTAMP_FILE", &offset),
            // In seconds: how soon the library notices that the file says something else.
            ("FAKETIME_CACHE_DURATION", "1"),
            // As when somebody sets the clock: what measures durations goes on.
            ("DONT_FAKE_MONOTONIC", "1"),
        ];
        self.run(&settings).await;
    }

    /// Sets the clock of the process so many hours ahead. Returns when the service was seen to have it.
    pub async fn move_clock(&self, hours: i8) {
        const FAR: i64 = 600;
        write(self.clock.path(), format!("{hours:+}h")).expect("written");
        let channel = channel_to(&self.listen.to_string());
        eventually("its clock is another one", async || {
            let mut asker = DiagnosticsServiceClient::new(channel.clone());
            let report = asker.get_health_report(GetHealthReportRequest { shallow: false });
            let Ok(report) = report.await else {
                return false;
            };
            let parts = report.into_inner().server.unwrap_or_default().parts;
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let now = i64::try_from(now.map_or(0, |now| now.as_secs())).unwrap_or(0);
            parts.iter().filter_map(|part| part.checked_at).any(|at| {
                let ahead = at.seconds - now;
                (ahead - i64::from(hours) * 3_600).abs() < FAR
            })
        })
        .await;
    }

    /// The process.
    #[must_use]
    pub fn program(&self) -> &Program {
        self.program.as_ref().expect("it runs")
    }

    /// SIGKILL. Returns when it has ended.
    pub async fn kill(&mut self) {
        if let Some(program) = self.program.take() {
            program.signal(nix::sys::signal::Signal::SIGKILL);
            program.exit().await;
        }
    }
}

fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address")
}

fn email(name: &str) -> Email {
    Email::parse(format!("{name}@example.org")).expect("an address")
}

async fn make_owner(store: &AdminStore, password: &PasswordHash) -> Who {
    let owner = NewAdmin {
        email: email("owner"),
        display_name: DisplayName::parse("owner").expect("a name"),
        role: Role::Owner,
        request_id: RequestId::random(),
    };
    store
        .ensure_owner(&owner, password)
        .await
        .expect("an owner");
    sign_in(store, &owner.email).await
}

async fn sign_in(store: &AdminStore, email: &Email) -> Who {
    let attempt = store.credentials().find(email).await.expect("an account");
    let session = store
        .credentials()
        .open_session(&attempt)
        .await
        .expect("a session");
    let token = session.token.expose().to_owned();
    let found = store
        .admin_session(&session.token)
        .await
        .expect("a session");
    let (id, _) = found.expect("an admin");
    Who::organiser(id, token)
}
