//! The way to Redis: a few shared connections that pipeline the commands of all calls, each replaced when
//! it breaks; and one of its own for the health check.
//!
//! A connection checked out per request would pipeline nothing and cost a PING each time (measured:
//! 10,400 instead of 25,800 requests/s), so the pool only makes connections and limits their number.

mod line;

use std::array::from_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool_redis::redis::io::tcp::TcpSettings;
use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, Cmd, IntoConnectionInfo, Pipeline, RedisError, Value, cmd,
};
use deadpool_redis::{Manager, Pool, Runtime, Timeouts};
use domain::Timestamp;

use self::line::{Line, Lost};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::outcome;
use crate::reply::decode;
use crate::script::{Call, Script};

/// How long a command may take. A Redis that is well answers in less than a millisecond.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a connection may take, with its handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a write may be on its way: one that reaches Redis later is refused there.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);
/// How often a command is tried whose connection broke. Every write that the store sends may be
/// repeated: it names its request, or writes the same again.
const TRIES: u32 = 3;
/// The connections for calls. Before Redis waits for its disk it reads at most 16 KiB of each, the
/// commands of some 30 registrations: with several, more of them share one wait (measured with four: 8 %
/// less CPU of Redis and 15 % more registrations).
const CONNECTIONS: usize = 4;
/// With so many exchanges under way on a connection the next one is used too.
const BUSY: usize = 16;

/// One of the connections for calls. What goes one after the other on the same one is done in that order.
#[derive(Clone, Copy)]
pub(crate) struct Lane(usize);

pub(crate) struct Redis {
    calls: [Line; CONNECTIONS],
    health: Line,
    clock: Arc<Clock>,
    opened: Arc<AtomicU64>,
}

/// Whether a command decides something that a caller waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Reads, and writes that decide nothing.
    Harmless,
    /// A write that is the change itself.
    Deciding,
}

impl Redis {
    /// Prepares the way; nothing is connected yet. Fails on a URL that is none.
    pub(crate) fn new(url: &str, password: Option<&str>) -> Result<Self, RedisError> {
        let mut address = url.into_connection_info()?;
        if let Some(password) = password {
            let login = address.redis_settings().clone().set_password(password);
            address = address.set_redis_settings(login);
        }
        let tcp = TcpSettings::default().set_nodelay(true);
        #[cfg(target_os = "linux")]
        let tcp = tcp.set_user_timeout(Duration::from_secs(5));
        let address = address.set_tcp_settings(tcp);
        // Refuses what is not supported, such as TLS, before the first call does.
        Client::open(address.clone())?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let manager = Manager::new_with_config(address, config)?;
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS + 1)
            .timeouts(Timeouts {
                wait: Some(CONNECT_TIMEOUT),
                create: Some(CONNECT_TIMEOUT),
                recycle: Some(CONNECT_TIMEOUT),
            })
            .runtime(Runtime::Tokio1)
            .build();
        let pool = pool.map_err(|error| {
            RedisError::from(std::io::Error::other(format!(
                "no connection pool: {error}"
            )))
        })?;
        let (clock, opened) = (Arc::new(Clock::new()), Arc::<AtomicU64>::default());
        let line = || Line::new(pool.clone(), clock.clone(), opened.clone());
        Ok(Self {
            calls: from_fn(|_| line()),
            health: line(),
            clock,
            opened,
        })
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How many connections were opened so far. While this stays the same, so does Redis: one that was
    /// restarted or replaced has lost its connections.
    pub(crate) fn opened(&self) -> u64 {
        self.opened.load(Ordering::SeqCst)
    }

    /// What time it is for Redis, which is asked if there is no connection yet or the clock is in doubt.
    pub(crate) async fn now(&self) -> Result<Timestamp> {
        self.calls[0].open().await?;
        if self.clock.is_doubtful() {
            let (seconds, micros): (i64, i64) = decode(self.command(cmd("TIME")).await?)?;
            self.clock.set(seconds * 1000 + micros / 1000);
        }
        Ok(self.clock.now())
    }

    /// The first connection that is not busy, or the one with the least to do: the others are opened only
    /// under load.
    pub(crate) fn lane(&self) -> Lane {
        let mut least = (usize::MAX, 0);
        for (lane, line) in self.calls.iter().enumerate() {
            let under_way = line.under_way();
            if under_way < BUSY {
                return Lane(lane);
            }
            least = least.min((under_way, lane));
        }
        Lane(least.1)
    }

    /// Whether Redis answers, asked on a connection that no call can hold up.
    pub(crate) async fn ping(&self) -> Result<()> {
        let mut ping = Pipeline::new();
        ping.cmd("PING");
        all_good(self.health.send(&ping).await?).map(drop)
    }

    /// Sends one command.
    pub(crate) async fn command(&self, command: Cmd) -> Result<Value> {
        let mut pipeline = Pipeline::with_capacity(1);
        pipeline.add_command(command);
        self.pipeline(&pipeline, Kind::Harmless)
            .await
            .and_then(only)
    }

    /// Sends commands together. An error of one of them is the error of all.
    pub(crate) async fn pipeline(&self, commands: &Pipeline, kind: Kind) -> Result<Vec<Value>> {
        all_good(self.exchange(commands, kind, self.lane()).await?)
    }

    /// Sends commands together, of which the last one is the one that decides if any does. Answers what
    /// Redis says to each, errors among it.
    pub(crate) async fn exchange(
        &self,
        commands: &Pipeline,
        kind: Kind,
        Lane(number): Lane,
    ) -> Result<Vec<Value>> {
        let line = &self.calls[number];
        let mut tries = 0;
        loop {
            tries += 1;
            let open = line.open().await?;
            if kind == Kind::Deciding {
                // A write is noted only once there is a connection to send it on.
                outcome::sent();
            }
            match line.send_on(&open, commands).await {
                Ok(answers) => {
                    let is_refused = matches!(answers.last(), Some(Value::ServerError(_)));
                    if is_refused && kind == Kind::Deciding {
                        outcome::refused();
                    }
                    return Ok(answers);
                }
                Err(Lost::Broken(_)) if tries < TRIES => {}
                Err(lost) => return Err(lost.into()),
            }
        }
    }

    /// Runs a script.
    pub(crate) async fn run(&self, call: Call, kind: Kind) -> Result<Value> {
        let script = call.script();
        let mut pipeline = Pipeline::with_capacity(1);
        pipeline.add_command(call.into_command());
        only(self.run_pipeline(script, &pipeline, kind).await?)
    }

    /// Runs a reading script many times in one round trip.
    pub(crate) async fn run_all(
        &self,
        script: &Script,
        calls: impl Iterator<Item = Call>,
    ) -> Result<Vec<Value>> {
        let mut pipeline = Pipeline::new();
        for call in calls {
            pipeline.add_command(call.into_command());
        }
        if pipeline.is_empty() {
            return Ok(Vec::new());
        }
        self.run_pipeline(script, &pipeline, Kind::Harmless).await
    }

    /// Sends a pipeline that holds calls of one script. An error of one of them is the error of all.
    async fn run_pipeline(
        &self,
        script: &Script,
        pipeline: &Pipeline,
        kind: Kind,
    ) -> Result<Vec<Value>> {
        all_good(self.run_each(script, pipeline, kind, self.lane()).await?)
    }

    /// Sends a pipeline that ends with a call of this script, and makes Redis know the script if need be.
    /// Answers what Redis says to each command, errors among it.
    pub(crate) async fn run_each(
        &self,
        script: &Script,
        pipeline: &Pipeline,
        kind: Kind,
        lane: Lane,
    ) -> Result<Vec<Value>> {
        let mut tries = 0;
        loop {
            tries += 1;
            let answers = self.exchange(pipeline, kind, lane).await?;
            // Scripts are gone after a restart or a failover. It was not run, so it may be run now.
            let is_unknown = answers.iter().any(is_unknown_script);
            if !is_unknown || tries == TRIES {
                return Ok(answers);
            }
            self.command(script.load()).await?;
        }
    }
}

fn is_unknown_script(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if error.code() == "NOSCRIPT")
}

/// Until when Redis may run a write that is sent at this moment, in milliseconds of its clock.
pub(crate) fn write_deadline(sent_at: Timestamp) -> i64 {
    sent_at.after(WRITE_DEADLINE).as_millis()
}

fn only(answers: Vec<Value>) -> Result<Value> {
    let mut answers = answers.into_iter();
    answers
        .next()
        .ok_or_else(|| Error::Corrupt("redis answered nothing".to_owned()))
}

/// The answers, unless one of them is an error.
fn all_good(answers: Vec<Value>) -> Result<Vec<Value>> {
    answers.into_iter().map(good).collect()
}

/// An answer that is not an error.
pub(crate) fn good(answer: Value) -> Result<Value> {
    match answer {
        Value::ServerError(error) => {
            Err(refusal(error.code(), error.details().unwrap_or_default()))
        }
        answer => Ok(answer),
    }
}

/// What an error that Redis itself answers means: it cannot write now, or we asked for nonsense.
fn refusal(code: &str, detail: &str) -> Error {
    const CANNOT_WRITE: [&str; 9] = [
        "OOM",
        "READONLY",
        "MISCONF",
        "LOADING",
        "BUSY",
        "MASTERDOWN",
        "NOREPLICAS",
        "CLUSTERDOWN",
        "TRYAGAIN",
    ];
    let text = format!("{code} {detail}");
    // An error inside of a script carries the code of its cause in its text.
    let caused = |cause: &&str| code == *cause || detail.starts_with(&format!("{cause} "));
    if CANNOT_WRITE.iter().any(caused) {
        Error::Unavailable(text)
    } else {
        Error::Corrupt(text)
    }
}
