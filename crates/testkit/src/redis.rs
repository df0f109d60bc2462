//! A private Redis.

use std::env;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{Client, FromRedisValue, cmd};
use redis_server::{Options, RedisServer};
use tempfile::TempDir;

/// The Redis user of the tests themselves, who may run every command.
pub const ROOT: &str = "root";
/// The line of the ACL file for [`ROOT`].
const ROOT_ACL: &str = "user root on #@ROOT_SHA256@ ~* &* +@all";
/// The users of the product, as `store` hands them to operators.
const PRODUCT_ACL: &str = include_str!("../../../docker/redis/users.acl");

/// A Redis with the users of the product and [`ROOT`], and its data in a temporary directory. It is
/// killed and its data deleted when this value is dropped.
///
/// It dereferences to [`RedisServer`], for its signals: kill, freeze, restart.
pub struct TestRedis {
    // Declared, and so dropped, before the directory of its data.
    server: RedisServer,
    folder: TempDir,
}

/// The settings of a [`TestRedis`].
#[derive(Debug, Default)]
#[must_use]
pub struct Builder {
    program: Option<PathBuf>,
    settings: Vec<(String, String)>,
    password: Option<String>,
    data: Option<TempDir>,
}

impl TestRedis {
    /// Starts a Redis with the settings of a system of record; returns when it accepts commands.
    #[must_use]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Starts a Redis with these settings in addition: names and values as in `redis.conf`.
    #[must_use]
    pub fn with_settings(settings: &[(&str, &str)]) -> Self {
        Self::builder().settings(settings).start()
    }

    /// Begins with the program in `STARTLIST_TEST_REDIS_SERVER`, or else the one in `PATH`.
    pub fn builder() -> Builder {
        Builder {
            program: env::var_os("STARTLIST_TEST_REDIS_SERVER").map(Into::into),
            ..Builder::default()
        }
    }

    /// The URL of this Redis with the name and the password of a user of the ACL file.
    #[must_use]
    pub fn url(&self, user: &str) -> String {
        let url = self.server.url_for(user);
        url.unwrap_or_else(|| panic!("the ACL file has no user {user}"))
    }

    /// The directory in which Redis keeps its data.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// A client that connects as this user.
    #[must_use]
    pub fn client(&self, user: &str) -> Client {
        Client::open(self.url(user)).expect("a valid URL")
    }

    /// Opens a connection as this user.
    pub async fn connect(&self, user: &str) -> MultiplexedConnection {
        let connection = self.client(user).get_multiplexed_async_connection().await;
        connection.expect("a connection to Redis")
    }

    /// Runs one command as [`ROOT`], on a connection of its own.
    pub async fn root<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let mut connection = self.connect(ROOT).await;
        let mut call = cmd(command[0]);
        call.arg(&command[1..]);
        let reply = call.query_async(&mut connection).await;
        reply.unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// How often Redis has run this command since it started, calls by scripts included.
    pub async fn command_count(&self, command: &str) -> u64 {
        let stats: String = self.root(&["INFO", "commandstats"]).await;
        let prefix = format!("cmdstat_{command}:calls=");
        let count = stats.lines().find_map(|line| line.strip_prefix(&prefix));
        let count = count.and_then(|rest| rest.split(',').next());
        count.map_or(0, |count| count.parse().expect("a number"))
    }
}

impl Deref for TestRedis {
    type Target = RedisServer;

    fn deref(&self) -> &RedisServer {
        &self.server
    }
}

impl DerefMut for TestRedis {
    fn deref_mut(&mut self) -> &mut RedisServer {
        &mut self.server
    }
}

impl Builder {
    /// Adds settings: names and values as in `redis.conf`. A later value of a setting wins.
    pub fn settings(mut self, settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter();
        let owned = settings.map(|&(name, value)| (name.to_owned(), value.to_owned()));
        self.settings.extend(owned);
        self
    }

    /// Gives every user of the ACL file this password, so that a replica has the same users.
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Starts this program instead, for a test of a certain version or of Valkey.
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// Starts the Valkey in `STARTLIST_TEST_VALKEY_SERVER`, or else `valkey-server` in `PATH`.
    pub fn valkey(self) -> Self {
        let valkey = env::var_os("STARTLIST_TEST_VALKEY_SERVER");
        self.program(valkey.unwrap_or_else(|| "valkey-server".into()))
    }

    /// Starts on the data that an earlier Redis left in this directory.
    pub fn data(mut self, folder: TempDir) -> Self {
        self.data = Some(folder);
        self
    }

    /// Starts the server; returns when it accepts commands.
    #[must_use]
    pub fn start(self) -> TestRedis {
        let new_folder = || tempfile::tempdir().expect("a temporary directory");
        let folder = self.data.unwrap_or_else(new_folder);
        let users = [ROOT, "admin-service", "user-service", "doctor"];
        let given = self.password.iter();
        let passwords = given.flat_map(|given| users.map(|user| (user.to_owned(), given.clone())));
        let server = RedisServer::start(Options {
            program: self.program,
            passwords: passwords.collect(),
            data_dir: folder.path().to_owned(),
            acl: format!("{PRODUCT_ACL}\n{ROOT_ACL}\n"),
            settings: self.settings,
        });
        TestRedis {
            server: server.expect("redis-server is installed and starts"),
            folder,
        }
    }
}
