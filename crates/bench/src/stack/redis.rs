//! Redis: starting it, and reading its counters.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use redis_server::{Options, RedisServer};
use testkit::redis_client::aio::MultiplexedConnection;
use testkit::redis_client::{AsyncConnectionConfig, Client, cmd};

use crate::result::Result;

/// Redis has much to do when it is full, and the benchmark has no deadline.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// Starts a Redis as a system of record, with this ACL and these settings in addition.
pub(crate) fn start(
    data_dir: PathBuf,
    acl: &str,
    settings: &[(&str, &str)],
) -> Result<RedisServer> {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    let server = RedisServer::start(Options {
        data_dir,
        acl: acl.to_owned(),
        settings: settings.iter().map(owned).collect(),
        ..Options::default()
    });
    server.map_err(|error| format!("cannot start Redis: {error}").into())
}

/// The URL with the password of a user of the ACL.
pub(crate) fn url(redis: &RedisServer, user: &str) -> Result<String> {
    let url = redis.url_for(user);
    url.ok_or_else(|| format!("the ACL has no user {user}").into())
}

/// Opens a connection as a user of the ACL.
pub(crate) async fn connect(redis: &RedisServer, user: &str) -> Result<MultiplexedConnection> {
    let client = Client::open(url(redis, user)?)?;
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(RESPONSE_TIMEOUT));
    Ok(client
        .get_multiplexed_async_connection_with_config(&config)
        .await?)
}

/// Reads the counters of one Redis.
pub(crate) struct CounterReader(MultiplexedConnection);

/// The counters of Redis at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct RedisCounts {
    /// How often each command has run, calls by scripts included.
    pub(crate) commands: BTreeMap<String, u64>,
    /// How often Redis has read a socket.
    pub(crate) reads: u64,
    /// The memory in use, in bytes.
    pub(crate) memory: u64,
}

impl CounterReader {
    pub(crate) async fn connect(redis: &RedisServer, user: &str) -> Result<Self> {
        Ok(Self(connect(redis, user).await?))
    }

    /// Reads the counters with one command, which adds one to `reads` first.
    pub(crate) async fn read(&self) -> Result<RedisCounts> {
        let mut info = cmd("INFO");
        info.arg(&["commandstats", "stats", "memory"]);
        let info: String = info.query_async(&mut self.0.clone()).await?;
        Ok(RedisCounts::parse(&info))
    }
}

impl RedisCounts {
    fn parse(info: &str) -> Self {
        let number = |name: &str| {
            let found = info.lines().find_map(|line| line.strip_prefix(name));
            found.and_then(|number| number.trim_end().parse().ok())
        };
        let command = |line: &str| {
            let (name, fields) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let calls = fields.split(',').next()?.parse().ok()?;
            Some((name.to_owned(), calls))
        };
        Self {
            commands: info.lines().filter_map(command).collect(),
            reads: number("total_reads_processed:").unwrap_or_default(),
            memory: number("used_memory:").unwrap_or_default(),
        }
    }

    /// How many bytes the memory in use has grown per log entry. Each change writes one.
    pub(crate) fn bytes_per_change_since(&self, earlier: &Self) -> f64 {
        let bytes = self.memory.saturating_sub(earlier.memory);
        let changes = self.commands_since(earlier).remove("xadd");
        bytes as f64 / changes.unwrap_or_default().max(1) as f64
    }

    /// How often each command has run since then, without `INFO`, which only the benchmark sends.
    pub(crate) fn commands_since(&self, earlier: &Self) -> BTreeMap<String, u64> {
        let before = |name: &String| earlier.commands.get(name).copied().unwrap_or_default();
        let since = |(name, calls): (&String, &u64)| (name.clone(), calls - before(name));
        let since = self.commands.iter().map(since);
        since
            .filter(|(name, calls)| *calls > 0 && name != "info")
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counters_are_read_from_info() {
        let info = "# Stats\r\ntotal_reads_processed:17\r\n# Memory\r\nused_memory:1048576\r\n\
            used_memory_rss:5\r\n# Commandstats\r\n\
            cmdstat_hget:calls=3,usec=5,usec_per_call=1.67\r\n\
            cmdstat_script|load:calls=1,usec=9\r\ncmdstat_info:calls=2,usec=9\r\n";
        let counters = RedisCounts::parse(info);
        assert_eq!((counters.reads, counters.memory), (17, 1_048_576));
        let commands = counters.commands_since(&RedisCounts::default());
        let expected = [("hget", 3), ("script|load", 1)];
        assert_eq!(
            commands,
            expected.map(|(name, n)| (name.to_owned(), n)).into()
        );
        assert!(counters.commands_since(&counters).is_empty());
    }
}
