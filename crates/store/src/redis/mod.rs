//! The connections to Redis and the ways to send on them.
//!
//! - [`endpoint`]: the address of Redis, and what all connections to it share.
//! - [`connection`]: one shared connection, replaced when it breaks or no longer leads to the primary.
//! - [`fault`]: what an error reply means.
//! - [`script`]: what a Lua script is to this module.
//! - [`commands`]: a pipeline, and the scripts that it calls.
//! - [`reply`]: decoding of replies.
//! - [`clock`]: the time by Redis's clock.
//! - [`health`]: whether Redis is a primary that takes writes.
//! - [`setup`]: checks of Redis's settings.
//!
//! There are three ways to send, by meaning: [`Redis::read`] reads, [`Redis::prepare`] writes what
//! another write relies on, and [`Redis::run`] runs a script, which decides. All three end in
//! [`Redis::send`], which sends one pipeline on one connection.

mod clock;
mod commands;
mod connection;
mod endpoint;
mod fault;
mod health;
mod reply;
mod script;
mod setup;

use std::array::from_fn;
use std::sync::Arc;
use std::time::Duration;

use deadpool_redis::redis::io::tcp::TcpSettings;
use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, IntoConnectionInfo, RedisError, Value, cmd,
};
use deadpool_redis::{Manager, Pool, Runtime, Timeouts};
use domain::Timestamp;

pub use self::commands::Commands;
pub use self::fault::Fault;
pub use self::health::CheckFailed;
pub(crate) use self::reply::{ReplyReader, checked, decode};
pub(crate) use self::script::{Call, Effect, Script, Source};

use self::connection::{SendError, SharedConnection};
use self::endpoint::Endpoint;
use self::fault::end_connection;
use crate::error::{Error, Result};
use crate::write_outcome;

/// How long Redis may take to reply. It normally replies within a millisecond.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);
/// How long it may take to open a connection, login included.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a write may be on its way to Redis. A script refuses a write that arrives later.
const WRITE_LIFETIME: Duration = Duration::from_secs(30);
/// How often a pipeline is sent if the connection breaks or does not lead to the primary. Every
/// write of the store may be repeated: it names its request, or writes the same value again.
const MAX_ATTEMPTS: u32 = 3;
/// How often a script may ask to be called again. Each call promotes up to 100 users, so that a
/// million users can be promoted before the call fails; the call's deadline usually ends it
/// earlier.
const MAX_SETTLE_ROUNDS: u32 = 10_000;
/// The number of connections for calls. Redis reads at most 16 KiB from a connection, the commands
/// of some 30 registrations, before it waits for its disk. With several connections more
/// registrations share one disk write (measured with four: 15 % more registrations per second).
const CALL_CONNECTIONS: usize = 4;
/// The number of pipelines in flight on a connection above which the next connection is used too.
const BUSY_PIPELINES: usize = 16;

/// The connections to one Redis. Cheap to clone; all clones share the connections.
///
/// A few connections are shared by all calls, which pipeline their commands on them. A connection
/// checked out per call would pipeline nothing and cost a PING each time (measured: 10,400 instead
/// of 25,800 requests per second).
#[derive(Clone)]
pub struct Redis {
    inner: Arc<Inner>,
}

struct Inner {
    calls: [SharedConnection; CALL_CONNECTIONS],
    /// For the health check, so that no call can delay it.
    health: SharedConnection,
    endpoint: Arc<Endpoint>,
}

/// One of the connections for calls. Pipelines on the same connection are executed in the order in
/// which they are sent.
#[derive(Clone, Copy)]
pub(crate) struct ConnectionId(usize);

/// A URL that does not name a Redis that can be used. The message holds no password.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidUrl(String);

impl From<RedisError> for InvalidUrl {
    fn from(error: RedisError) -> Self {
        Self(error.category().to_owned())
    }
}

impl Redis {
    /// Configures the connections without opening any: Redis may start later, and restart.
    ///
    /// `password` is used if the URL has none. Fails on an invalid or unsupported URL.
    pub fn new(url: &str, password: Option<&str>) -> Result<Self, InvalidUrl> {
        let mut address = url.into_connection_info()?;
        if let Some(password) = password {
            let login = address.redis_settings().clone().set_password(password);
            address = address.set_redis_settings(login);
        }
        let tcp = TcpSettings::default().set_nodelay(true);
        // A half-open connection is closed after 5 s instead of the kernel's 15 minutes.
        #[cfg(target_os = "linux")]
        let tcp = tcp.set_user_timeout(Duration::from_secs(5));
        let address = address.set_tcp_settings(tcp);
        // Reports an unsupported URL, such as one with TLS, now and not at the first call.
        Client::open(address.clone())?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let pool = connection_pool(Manager::new_with_config(address, config)?)?;
        let endpoint = Arc::new(Endpoint::new(pool));
        let connection = || SharedConnection::new(Arc::clone(&endpoint));
        Ok(Self {
            inner: Arc::new(Inner {
                calls: from_fn(|_| connection()),
                health: connection(),
                endpoint,
            }),
        })
    }

    /// The time by Redis's clock, as far as this process knows it. Asks nobody.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.endpoint.clock().now()
    }

    /// The time by Redis's clock. Asks Redis if no connection is open yet or the clock is in doubt.
    pub(crate) async fn current_time(&self) -> Result<Timestamp> {
        self.inner.calls[0].open().await?;
        if self.inner.endpoint.clock().is_doubtful() {
            let (seconds, micros): (i64, i64) = self.read(cmd("TIME")).await?;
            self.inner
                .endpoint
                .clock()
                .set(seconds * 1000 + micros / 1000);
        }
        Ok(self.now())
    }

    /// The number of connections opened so far. A restarted or replaced Redis closes its connections
    /// or no longer is the primary, so while this number stays the same, Redis does too.
    pub(crate) fn connections_opened(&self) -> u64 {
        self.inner.endpoint.opened()
    }

    /// The first connection that is not busy, or else the least busy one. So the other connections
    /// are opened only under load.
    pub(crate) fn pick_connection(&self) -> ConnectionId {
        let mut least = (usize::MAX, 0);
        for (number, connection) in self.inner.calls.iter().enumerate() {
            let in_flight = connection.in_flight();
            if in_flight < BUSY_PIPELINES {
                return ConnectionId(number);
            }
            least = least.min((in_flight, number));
        }
        ConnectionId(least.1)
    }

    /// Sends one command that reads, and decodes its reply.
    pub(crate) async fn read<T: FromRedisValue>(&self, command: Cmd) -> Result<T> {
        decode(self.send_one(command, Effect::Read).await?)
    }

    /// Sends commands that read, in one round trip. Fails if one of them fails.
    pub(crate) async fn read_all(&self, commands: &Commands) -> Result<Vec<Value>> {
        let replies = self.send(commands, Effect::Read, self.pick_connection());
        replies.await?.into_iter().map(checked).collect()
    }

    /// Sends commands that read, in one round trip, and decodes their replies into a tuple.
    pub(crate) async fn read_tuple<T: FromRedisValue>(
        &self,
        commands: impl IntoIterator<Item = Cmd>,
    ) -> Result<T> {
        let commands = commands.into_iter().collect();
        decode(Value::Array(self.read_all(&commands).await?))
    }

    /// Sends one command that prepares for a later write, or cleans up.
    pub(crate) async fn prepare(&self, command: Cmd) -> Result<()> {
        self.send_one(command, Effect::Prepare).await.map(drop)
    }

    /// Runs a script, and runs it again while it replies `unsettled`.
    pub(crate) async fn run<S: Script>(&self, script: &S) -> Result<S::Reply> {
        let (_, reply) = self
            .run_after(Commands::new(), script, self.pick_connection())
            .await?;
        Ok(reply)
    }

    /// Runs a script behind other commands, all in one pipeline. Returns the replies of the other
    /// commands, error replies included, and the decoded reply of the script.
    ///
    /// The whole pipeline is sent again while the script replies `unsettled`: that call has made
    /// promotions that were due, and nothing else.
    pub(crate) async fn run_after<S: Script>(
        &self,
        mut commands: Commands,
        script: &S,
        connection: ConnectionId,
    ) -> Result<(Vec<Value>, S::Reply)> {
        commands.call(script);
        for _ in 0..MAX_SETTLE_ROUNDS {
            let mut replies = self.send(&commands, S::EFFECT, connection).await?;
            let reply = replies
                .pop()
                .ok_or_else(|| Error::Corrupt("redis sent too few replies".to_owned()))?;
            let reply = checked(reply)?;
            if !is_unsettled(&reply) {
                return Ok((replies, script.decode(reply)?));
            }
        }
        Err(Error::Unavailable(
            "too many promotions are due at once".to_owned(),
        ))
    }

    /// Runs scripts that read, in one round trip. Fails if one of them fails.
    pub(crate) async fn run_all<S: Script>(&self, scripts: &[S]) -> Result<Vec<S::Reply>> {
        let mut commands = Commands::new();
        for script in scripts {
            commands.call(script);
        }
        let replies = self.read_all(&commands).await?;
        let calls = scripts.iter().zip(replies);
        calls.map(|(script, reply)| script.decode(reply)).collect()
    }

    async fn send_one(&self, command: Cmd, effect: Effect) -> Result<Value> {
        let commands = command.into();
        let replies = self.send(&commands, effect, self.pick_connection()).await?;
        let reply = replies.into_iter().next();
        checked(reply.ok_or_else(|| Error::Corrupt("redis sent no reply".to_owned()))?)
    }

    /// Sends a pipeline on one connection, and loads the scripts that Redis does not know. Returns
    /// one reply per command, error replies included. A command that decides must be the last one.
    pub(crate) async fn send(
        &self,
        commands: &Commands,
        effect: Effect,
        connection: ConnectionId,
    ) -> Result<Vec<Value>> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        for _ in 1..MAX_ATTEMPTS {
            let replies = self.send_once(commands, effect, connection).await?;
            // Redis forgets its scripts at a restart or a failover. NOSCRIPT means that the script
            // did not run, so it is safe to run it now.
            if !replies.iter().any(is_unknown_script) {
                return Ok(replies);
            }
            self.send_once(&commands.load_scripts(), Effect::Prepare, connection)
                .await?;
        }
        self.send_once(commands, effect, connection).await
    }

    /// Sends a pipeline, and sends it again on a new connection if the connection breaks or does not
    /// lead to the primary. Keeps account of the writes that may have been made: see
    /// [`write_outcome`].
    async fn send_once(
        &self,
        commands: &Commands,
        effect: Effect,
        ConnectionId(number): ConnectionId,
    ) -> Result<Vec<Value>> {
        let shared = &self.inner.calls[number];
        let mut attempts = 0;
        loop {
            attempts += 1;
            let open = shared.open().await?;
            // Only now, because nothing is sent without an open connection.
            if effect == Effect::Decide {
                write_outcome::sent();
            }
            match shared.send_on(&open, commands).await {
                Ok(replies) => {
                    let is_refused = matches!(replies.last(), Some(Value::ServerError(_)));
                    if is_refused && effect == Effect::Decide {
                        write_outcome::refused();
                    }
                    if attempts == MAX_ATTEMPTS || !end_connection(&replies) {
                        return Ok(replies);
                    }
                }
                Err(SendError::ConnectionLost(_)) if attempts < MAX_ATTEMPTS => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The pool of deadpool-redis, which creates the connections, with login and a timeout. Each
/// connection is taken out of the pool at once and then shared, so the pool limits nothing, and its
/// check of returned connections (a PING) never runs.
fn connection_pool(manager: Manager) -> Result<Pool, RedisError> {
    let timeouts = Timeouts {
        wait: Some(CONNECT_TIMEOUT),
        create: Some(CONNECT_TIMEOUT),
        recycle: Some(CONNECT_TIMEOUT),
    };
    Pool::builder(manager)
        .timeouts(timeouts)
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| std::io::Error::other(format!("no connection pool: {error}")).into())
}

/// The latest moment, in milliseconds of Redis's clock, at which Redis may run a write that is sent
/// now.
pub(crate) fn write_deadline(sent_at: Timestamp) -> i64 {
    sent_at.after(WRITE_LIFETIME).as_millis()
}

fn is_unknown_script(reply: &Value) -> bool {
    matches!(reply, Value::ServerError(error) if error.code() == "NOSCRIPT")
}

/// Whether a script made promotions that were due, and must be called again: `{unsettled}`.
fn is_unsettled(reply: &Value) -> bool {
    let Value::Array(values) = reply else {
        return false;
    };
    matches!(&values[..], [Value::BulkString(word)] if word == b"unsettled")
}
