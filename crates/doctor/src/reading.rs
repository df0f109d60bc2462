//! Reads with retries, because a busy Redis is no finding; and scans, page by page.

use std::time::Duration;

use domain::Timestamp;
use store::AccountEventKind;
use store::inspect::{Cmd, Commands, FromRedisValue, Replies, Stored, cmd};
use store::keys::{AccountId, AccountKey};
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
        let info: Stored<String> = self.read_one(command("INFO", &["server"])).await?;
        let info = info.present().unwrap_or_default();
        let run_id = info.lines().find_map(|line| line.strip_prefix("run_id:"));
        Ok(run_id.map(str::to_owned))
    }
}

/// A command with its arguments.
pub(crate) fn command(name: &str, arguments: &[&str]) -> Cmd {
    let mut command = cmd(name);
    command.arg(arguments);
    command
}

/// A scan of all keys, of a hash or of a sorted set. It may return an item twice, and returns each
/// item that exists during the whole scan.
pub(crate) struct Scan {
    name: &'static str,
    key: Option<String>,
    cursor: u64,
    state: ScanState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ScanState {
    Running,
    Complete,
    /// The key has a wrong type.
    Failed,
}

impl Scan {
    pub(crate) fn keys() -> Self {
        Self::new("SCAN", None)
    }

    pub(crate) fn hash(key: impl Into<String>) -> Self {
        Self::new("HSCAN", Some(key.into()))
    }

    pub(crate) fn sorted_set(key: impl Into<String>) -> Self {
        Self::new("ZSCAN", Some(key.into()))
    }

    fn new(name: &'static str, key: Option<String>) -> Self {
        Self {
            name,
            key,
            cursor: 0,
            state: ScanState::Running,
        }
    }

    /// Reads the next page, which may be empty. `None` = the scan has ended: see
    /// [`Scan::is_complete`].
    pub(crate) async fn next_page<T: FromRedisValue>(
        &mut self,
        on: &Examination,
    ) -> Result<Option<Vec<T>>> {
        if self.state != ScanState::Running {
            return Ok(None);
        }
        let mut scan = cmd(self.name);
        scan.arg(&self.key)
            .arg(self.cursor)
            .arg("COUNT")
            .arg(BATCH_SIZE);
        let Stored::Present((cursor, items)) = on.read_one::<(u64, Vec<T>)>(scan).await? else {
            self.state = ScanState::Failed;
            return Ok(None);
        };
        self.cursor = cursor;
        if cursor == 0 {
            self.state = ScanState::Complete;
        }
        Ok(Some(items))
    }

    /// Whether all pages were read. If not, the key has a wrong type, which the check of the
    /// keyspace reports.
    pub(crate) fn is_complete(&self) -> bool {
        self.state == ScanState::Complete
    }
}

/// The command that reads the last event in the log of an account.
pub(crate) fn last_account_event(account: &AccountId) -> Cmd {
    let log = AccountKey::Log.of(account);
    command("XREVRANGE", &[&log, "+", "-", "COUNT", "1"])
}

/// Takes the reply to [`last_account_event`]. Returns when the account was erased, if it was.
pub(crate) fn take_erased_at(replies: &mut Replies) -> Option<Timestamp> {
    let events: Vec<(String, Vec<String>)> = replies.take().present()?;
    let (id, fields) = events.into_iter().next()?;
    let event = account_event::parse(&id, Fields::from_pairs(fields)).ok()?;
    (event.kind == AccountEventKind::Erase).then_some(event.at)
}
