//! What Redis says of itself.

use std::collections::BTreeMap;

use redis_server::RedisServer;
use tokio::sync::Mutex;

use super::resp::Connection;
use crate::Result;

/// A connection to ask Redis for its counters.
pub(crate) struct RedisCounters(Mutex<Connection>);

/// Counters of Redis.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counters {
    /// How often each command ran so far, also inside of scripts.
    pub(crate) commands: BTreeMap<String, u64>,
    /// How often a socket was read so far.
    pub(crate) reads: u64,
    /// The memory in use, in bytes.
    pub(crate) memory: u64,
}

impl RedisCounters {
    /// Connects as this user of the ACL.
    pub(crate) async fn open(redis: &RedisServer, user: &str) -> Result<Self> {
        let connection = Connection::open(redis, user).await?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Reads them. Costs Redis one read of a socket, which is in the answer already.
    pub(crate) async fn read(&self) -> Result<Counters> {
        let mut connection = self.0.lock().await;
        let sections = ["INFO", "commandstats", "stats", "memory"];
        Ok(Counters::parse(&connection.ask(&sections).await?))
    }
}

impl Counters {
    fn parse(info: &str) -> Self {
        let number = |name: &str| {
            let found = info.lines().find_map(|line| line.strip_prefix(name));
            found.and_then(|number| number.trim_end().parse().ok())
        };
        let command = |line: &str| {
            let (name, figures) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let calls = figures.split(',').next()?.parse().ok()?;
            Some((name.to_owned(), calls))
        };
        Self {
            commands: info.lines().filter_map(command).collect(),
            reads: number("total_reads_processed:").unwrap_or_default(),
            memory: number("used_memory:").unwrap_or_default(),
        }
    }

    /// By how many bytes the memory in use grew for each log entry that was written since then.
    pub(crate) fn bytes_a_change_since(&self, earlier: &Self) -> f64 {
        let grown = self.memory.saturating_sub(earlier.memory);
        let changes = self.commands_since(earlier).remove("xadd");
        grown as f64 / changes.unwrap_or_default().max(1) as f64
    }

    /// How often each command ran since then.
    pub(crate) fn commands_since(&self, earlier: &Self) -> BTreeMap<String, u64> {
        let before = |name: &String| earlier.commands.get(name).copied().unwrap_or_default();
        let ran = |(name, calls): (&String, &u64)| (name.clone(), calls - before(name));
        let ran = self.commands.iter().map(ran);
        ran.filter(|(name, calls)| *calls > 0 && name != "info")
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_in_what_redis_says() {
        let info = "# Stats\r\ntotal_reads_processed:17\r\n# Memory\r\nused_memory:1048576\r\n\
            used_memory_rss:5\r\n# Commandstats\r\ncmdstat_hget:calls=3,usec=5,usec_per_call=1.67\r\n\
            cmdstat_script|load:calls=1,usec=9\r\ncmdstat_info:calls=2,usec=9\r\n";
        let counters = Counters::parse(info);
        assert_eq!((counters.reads, counters.memory), (17, 1_048_576));
        let none = Counters::default();
        let ran = counters.commands_since(&none);
        let expected = [("hget", 3), ("script|load", 1)];
        assert!(
            ran.into_iter()
                .eq(expected.map(|(name, n)| (name.to_owned(), n)))
        );
        assert!(counters.commands_since(&counters).is_empty());
    }
}
