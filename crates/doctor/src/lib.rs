//! Examines the data of a running system, and repairs what can be repaired safely.
//!
//! The examination only reads, with a Redis user that may do no more, while the services run.
//!
//! - [`report`]: the findings, and the progress of an examination.
//! - [`reading`]: reads with retries, and scans; [`suspicion`]: findings that a second read
//!   confirms; [`id_set`]: ids that one check remembers for another.
//! - [`lists`]: the catalogue, the directory and the list of admins.
//! - [`keyspace`]: one scan of all keys, which starts the checks of accounts and indexes.
//! - [`accounts`]: accounts and the claims of their e-mail addresses; [`index`]: users' indexes;
//!   [`reasons`]: the reasons of removals.
//! - [`competition`]: one competition: its log, replayed through the rules, and its records.
//!
//! The repairs are in [`store::repair`].
//!
//! # No false finding
//! Nothing is locked, and the data changes during the examination. A problem is reported only if
//! the values that were read, in the order in which they were read, are impossible while the services
//! work correctly:
//! - Ids are never used again. A profile that exists *after* something was missing existed before
//!   too.
//! - Every change of a competition has a revision. Values read between two reads of the same
//!   revision existed at the same time. A user with a log entry since the first read is left to the
//!   next examination.
//! - A call that has not finished within [`GRACE_PERIOD`] was cut off and will not finish.

mod accounts;
mod competition;
mod id_set;
mod index;
mod keyspace;
mod lists;
mod reading;
mod reasons;
mod report;
mod suspicion;
mod tasks;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use store::inspect::Inspector;
use store::records::index_entry::INDEX_ENTRY_GRACE;
use store::{Error, Redis, Result};
use tokio::time::{MissedTickBehavior, interval};

pub use store::repair::{Repair, Repairer};

pub use crate::report::{Finding, Progress, Report, Severity};

use crate::id_set::IdSets;
use crate::tasks::Tasks;

/// How long a call may be unfinished. An older one was cut off.
const GRACE_PERIOD: Duration = INDEX_ENTRY_GRACE;
/// The number of keys or records that one round trip reads.
const BATCH_SIZE: usize = 1_000;
/// The interval between two reports of the progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Examines the data in one Redis, as a Redis user that may read every key.
pub struct Examiner {
    inspector: Inspector,
}

impl Examiner {
    /// An examiner on these connections. Opens none.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self {
            inspector: Inspector::new(redis),
        }
    }

    /// Examines everything. Calls `show` ten times a second with the progress.
    ///
    /// Needs some 100 bytes of memory per account, and some 200 per user who ever entered one of
    /// the four largest competitions: a million accounts took 100 MB, and 290 MB if all of them had
    /// entered the same competition.
    pub async fn examine(&self, mut show: impl FnMut(Progress)) -> Result<Report> {
        // Fails fast if Redis is unreachable, instead of retrying as the examination does.
        self.inspector.connect().await?;
        let examination = Examination {
            inspector: self.inspector.clone(),
            progress: Arc::default(),
            seen: Arc::default(),
        };
        // Boxed, because a future is as large as all futures inside it.
        let mut findings = Box::pin(examination.run());
        let mut tick = interval(PROGRESS_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let findings = loop {
            tokio::select! {
                findings = &mut findings => break findings?,
                _ = tick.tick() => show(examination.progress()),
            }
        };
        show(examination.progress());
        Ok(Report::new(findings, examination.progress()))
    }
}

/// What all checks of one examination share. Cheap to clone.
#[derive(Clone)]
struct Examination {
    inspector: Inspector,
    progress: Arc<Mutex<Progress>>,
    seen: Arc<IdSets>,
}

impl Examination {
    async fn run(&self) -> Result<Vec<Finding>> {
        let run_id = self.redis_run_id().await?;
        let findings = self.check_all().await?;
        if self.redis_run_id().await? == run_id {
            Ok(findings)
        } else {
            // A scan across a restart may miss keys.
            let why = "it was restarted during the examination";
            Err(Error::Unavailable(why.to_owned()))
        }
    }

    /// The phases run one after the other, because each uses the ids that the one before has seen.
    async fn check_all(&self) -> Result<Vec<Finding>> {
        let mut tasks = Tasks::default();
        lists::check(self, &mut tasks).await?;
        tasks.join().await?;
        let keyspace = keyspace::check(self, &mut tasks).await?;
        tasks.join().await?;
        self.count(|progress| progress.all_competitions = keyspace.competitions.len());
        for id in keyspace.competitions {
            let part = self.clone();
            let check = async move { competition::check(&part, &id).await };
            tasks.spawn(check).await?;
        }
        let part = self.clone();
        let check = async move { accounts::check_admins(&part, keyspace.admins).await };
        tasks.spawn(check).await?;
        tasks.finish().await
    }

    fn progress(&self) -> Progress {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, add: impl FnOnce(&mut Progress)) {
        add(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether a call that did something at this time must have finished or been cut off.
    fn is_past_grace_period(&self, at: Timestamp) -> bool {
        at.after(GRACE_PERIOD) < self.inspector.now()
    }
}
