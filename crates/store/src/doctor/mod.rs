//! Whether a running system is as it must be. Reads only, with a Redis user that can do no more, while
//! the services serve.
//!
//! - [`report`]: what an examination finds; [`seen`]: what it remembers on the way.
//! - [`look`]: how it reads: with patience, and without trust in what it reads.
//! - [`lists`]: the catalogue, the directory and the list of admins.
//! - [`keyspace`]: one walk over all keys: what nobody knows, and what has a wrong type.
//! - [`account`], [`claim`], [`admin`]: accounts and the claims of their addresses.
//! - [`index`]: users' indexes against the truth.
//! - [`competition`]: one competition: its log replayed through the rules ([`replay`]), and what stands
//!   beside it ([`standing`]).
//! - [`repair`]: what can be put right.
//!
//! # No false finding
//! Nothing is locked and nothing stands still. A finding is said only if what was read, in the order in
//! which it was read, cannot come about while the services work:
//! - Ids are never used again. A profile that is there *after* something was missed was there before too.
//! - A competition does nothing without a revision. What was read between two reads of the same revision
//!   was there at the same moment; a user with a log entry since the first look is left to the next
//!   examination.
//! - What is half done for longer than [`UNDER_WAY`] stays half done.

mod account;
mod admin;
mod claim;
mod competition;
mod index;
mod keyspace;
mod lists;
mod look;
mod repair;
mod replay;
mod report;
mod seen;
mod standing;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::Store;
use crate::error::{Error, Result};

pub use report::{Finding, Progress, Repair, Report};

use report::{Counters, Problems};
use seen::Seen;

/// For how long a call may be under way: one that is older was cut off. Far more than the 30 s that a
/// write may take, and as long as the claim of an address is held for one.
const UNDER_WAY: Duration = crate::records::index_entry::INDEX_ENTRY_GRACE;
/// How many parts of an examination are worked on at the same time: while one waits for Redis, another
/// uses what was read.
const TOGETHER: usize = 4;
/// How many keys or records one round trip reads.
const STEP: usize = 1_000;
/// How often it is told how far the examination is.
const BETWEEN_TELLINGS: Duration = Duration::from_millis(100);

/// Why an examination or a repair was not finished.
#[derive(Debug, thiserror::Error)]
pub enum Unfinished {
    /// Redis cannot be reached, or was lost on the way.
    #[error("Redis cannot be reached: {0}")]
    Unreachable(String),
    /// Redis does not know the user or the password, or the user may not do what is needed.
    #[error("Redis refuses: {0}")]
    Refused(String),
    /// Anything else: a bug.
    #[error("{0}")]
    Failed(String),
}

impl From<Error> for Unfinished {
    fn from(error: Error) -> Self {
        match error {
            Error::LoginRefused(why) | Error::PermissionDenied(why) => Self::Refused(why),
            Error::Unavailable(why) => Self::Unreachable(why),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl Store {
    /// Examines everything, with a Redis user that may read every key. `show` is told ten times a second
    /// how far it is.
    ///
    /// Needs some 100 bytes of memory for each account, and some 200 for each user who ever entered one of the
    /// four largest competitions: a million accounts took 100 MB, and 290 MB if all had entered the same one.
    pub async fn examine(&self, mut show: impl FnMut(Progress)) -> Result<Report, Unfinished> {
        // Without the patience of the examination: whoever cannot be reached now is told at once.
        self.redis.current_time().await?;
        let examination = Examination {
            store: self.clone(),
            counters: Arc::default(),
            seen: Arc::default(),
        };
        let counters = Arc::clone(&examination.counters);
        // Boxed, so that no caller's future is as large as this one.
        let mut work = Box::pin(examination.run());
        let mut tell = interval(BETWEEN_TELLINGS);
        tell.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let problems = loop {
            tokio::select! {
                done = &mut work => break done?,
                _ = tell.tick() => show(counters.progress()),
            }
        };
        let examined = counters.progress();
        show(examined);
        Ok(problems.report(examined))
    }
}

/// What all parts of an examination share.
#[derive(Clone)]
struct Examination {
    store: Store,
    counters: Arc<Counters>,
    seen: Arc<Seen>,
}

impl Examination {
    async fn run(self) -> Result<Problems> {
        let run = self.run_of_redis().await?;
        let problems = self.examine().await?;
        if run == self.run_of_redis().await? {
            Ok(problems)
        } else {
            // A walk over keys goes astray then, and may have missed any of them.
            Err(Error::Unavailable(
                "it was started anew meanwhile".to_owned(),
            ))
        }
    }

    async fn examine(&self) -> Result<Problems> {
        // In this order, since each step needs what the one before has seen.
        let mut crew = Crew::default();
        self.examine_lists(&mut crew).await?;
        crew.rest().await?;
        let keyspace = self.walk_keyspace(&mut crew).await?;
        crew.rest().await?;
        self.counters.all_competitions(keyspace.competitions.len());
        for id in keyspace.competitions {
            let part = self.clone();
            crew.begin(async move { part.examine_competition(&id).await })
                .await?;
        }
        let part = self.clone();
        crew.begin(async move { part.examine_admins(keyspace.admins).await })
            .await?;
        crew.rest().await?;
        Ok(crew.problems)
    }
}

/// The parts that are worked on, and what was found so far.
#[derive(Default)]
struct Crew {
    parts: JoinSet<Result<Problems>>,
    problems: Problems,
}

impl Crew {
    /// Begins a part as soon as there is room for it.
    async fn begin<F>(&mut self, part: F) -> Result<()>
    where
        F: Future<Output = Result<Problems>> + Send + 'static,
    {
        while self.parts.len() >= TOGETHER {
            self.take_one().await?;
        }
        self.parts.spawn(part);
        Ok(())
    }

    /// Waits until nothing is worked on.
    async fn rest(&mut self) -> Result<()> {
        while !self.parts.is_empty() {
            self.take_one().await?;
        }
        Ok(())
    }

    async fn take_one(&mut self) -> Result<()> {
        if let Some(ended) = self.parts.join_next().await {
            let part = ended.map_err(|error| Error::Corrupt(error.to_string()))??;
            self.problems.append(part);
        }
        Ok(())
    }
}
