//! Reads with retries, because a busy Redis is no finding; and scans, page by page.

use std::time::Duration;

use domain::Timestamp;
use store::AccountEventKind;
use store::inspect::{Cmd, Commands, FromRedisValue, Replies, Stored, cmd};
use store::records::{Fields, account_event};
use tokio::time::sleep;

use crate::{BATCH_SIZE, Examination, Result};

/// How often a read is sent before the examination gives up.
const MAX_ATTEMPTS: u32 = 40;
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// How often a state is read again that a call creates for a moment, and how long that moment may
/// be. A call that takes longer was cut off.
pub(crate) const RECHECKS: u32 = 3;
pub(crate) const RECHECK_INTERVAL: Duration = Duration::from_secs(1);

impl Examination {
    /// Sends commands that read, in one round trip. Retries for ten seconds while Redis is
    /// unavailable.
    pub(crate) async fn read(&self, commands: &Commands) -> Result<Replies> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.inspector.read(commands).await {
                Err(store::Error::Unavailable(_)) if attempts < MAX_ATTEMPTS => {
                    sleep(RETRY_INTERVAL).await;
                }
                result => return result,
            }
        }
    }

    /// Sends one command that reads.
    pub(crate) async fn read_one<T: FromRedisValue>(&self, command: Cmd) -> Result<Stored<T>> {
        Ok(self.read(&command.into()).await?.take())
    }

    /// The id that Redis chooses at each start.
    pub(crate) async fn redis_run_id(&self) -> Result<Option<String>> {
        let mut info = cmd("INFO");
        info.arg("server");
        let info: Stored<String> = self.read_one(info).await?;
        let info = info.present().unwrap_or_default();
        let run_id = info.lines().find_map(|line| line.strip_prefix("run_id:"));
        Ok(run_id.map(str::to_owned))
    }
}

/// A scan of all keys, of a hash or of a sorted set. It returns every item that exists during the
/// whole scan, and may return an item twice.
pub(crate) struct Scan {
    command: &'static str,
    key: Option<String>,
    cursor: u64,
    has_ended: bool,
    is_complete: bool,
}

impl Scan {
    pub(crate) fn keys() -> Self {
        Self::new("SCAN", None)
    }

    pub(crate) fn hash(key: String) -> Self {
        Self::new("HSCAN", Some(key))
    }

    pub(crate) fn sorted_set(key: String) -> Self {
        Self::new("ZSCAN", Some(key))
    }

    fn new(command: &'static str, key: Option<String>) -> Self {
        Self {
            command,
            key,
            cursor: 0,
            has_ended: false,
            is_complete: false,
        }
    }

    /// Reads the next page, which may be empty. `None` = the scan has ended.
    pub(crate) async fn next_page<T: FromRedisValue>(
        &mut self,
        examination: &Examination,
    ) -> Result<Option<Vec<T>>> {
        if self.has_ended {
            return Ok(None);
        }
        let mut scan = cmd(self.command);
        scan.arg(&self.key).arg(self.cursor);
        scan.arg("COUNT").arg(BATCH_SIZE);
        let page: Stored<(u64, Vec<T>)> = examination.read_one(scan).await?;
        let (cursor, items) = page.present().unzip();
        self.cursor = cursor.unwrap_or(0);
        self.has_ended = self.cursor == 0;
        self.is_complete = cursor == Some(0);
        Ok(items)
    }

    /// Whether all pages were read. If not, the key has a wrong type, which the check of the
    /// keyspace reports.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }
}

/// The command that reads the last entry of a log.
pub(crate) fn last_entry(log: &str) -> Cmd {
    let mut range = cmd("XREVRANGE");
    range.arg(log).arg("+").arg("-").arg("COUNT").arg(1);
    range
}

/// Takes the reply to [`last_entry`] of a user's account log. Returns when the account was erased,
/// if it was.
pub(crate) fn take_erased_at(replies: &mut Replies) -> Option<Timestamp> {
    let events: Vec<(String, Vec<String>)> = replies.take().present()?;
    let (id, fields) = events.into_iter().next()?;
    let event = account_event::parse(&id, Fields::from_pairs(fields)).ok()?;
    (event.kind == AccountEventKind::Erase).then_some(event.at)
}
