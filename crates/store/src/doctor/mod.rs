//! Whether a running system is as it must be. Reads only, with a Redis user that can do no more, while
//! the services serve.
//!
//! - [`keyspace`]: one walk over all keys: what there is, and what nobody knows.
//! - [`competition`]: one competition: its log replayed through the rules, and what stands beside it.
//! - [`account`]: accounts and the claims of their addresses.
//!
//! What changes while it is looked at is looked at again before it is called a finding.

mod account;
mod competition;
mod keyspace;

use std::fmt;

use domain::{CompetitionId, UserId};

use crate::Store;
use crate::error::Result;

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about, such as `competition spring-cup`.
    pub subject: String,
    /// What is wrong: one sentence without personal data.
    pub problem: String,
    /// What can be done about it safely, if anything can.
    pub repair: Option<Repair>,
}

/// A repair that cannot make anything worse, however often it is made and whatever else goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// An index entry without a registration, older than any call can be: taken away, unless it was
    /// written again.
    ForgetIndexEntry {
        /// The key of the index.
        index: String,
        /// Which entry.
        competition: CompetitionId,
        /// What the entry said.
        value: String,
    },
    /// A registration that its user's index lacks: entered.
    EnterInIndex {
        /// Whose index.
        user: UserId,
        /// Which entry.
        competition: CompetitionId,
    },
    /// The claim of an address by an account that is not there: freed.
    ReleaseClaim {
        /// The key of the claim.
        key: String,
        /// Who holds it.
        owner: String,
    },
}

/// How far an examination is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Keys that were looked at.
    pub keys: u64,
    /// Competitions that were examined.
    pub competitions: u64,
    /// Of how many.
    pub all_competitions: u64,
    /// Log entries that were replayed.
    pub log_entries: u64,
    /// Registrations that were compared with the log, those that ended included.
    pub registrations: u64,
    /// Accounts that were examined.
    pub accounts: u64,
}

/// What an examination found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How much was looked at.
    pub examined: Progress,
    /// What is wrong; empty = all invariants hold.
    pub findings: Vec<Finding>,
    /// What was left over by calls that were cut off. It does no harm and breaks nothing.
    pub leftovers: Vec<Finding>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.problem)
    }
}

impl Report {
    fn find(&mut self, subject: impl fmt::Display, problem: impl Into<String>) {
        self.findings.push(Finding::new(subject, problem, None));
    }
}

impl Finding {
    fn new(subject: impl fmt::Display, problem: impl Into<String>, repair: Option<Repair>) -> Self {
        Self {
            subject: subject.to_string(),
            problem: problem.into(),
            repair,
        }
    }
}

impl Store {
    /// Examines everything. `show` is told now and then how far it is.
    pub async fn examine(&self, mut show: impl FnMut(Progress)) -> Result<Report> {
        let mut report = Report::default();
        let keyspace = self.walk_keyspace(&mut report, &mut show).await?;
        report.examined.all_competitions = keyspace.competitions.len() as u64;
        let catalogue = self.whole_catalogue().await?;
        for id in &keyspace.competitions {
            self.examine_competition(id, &catalogue, &mut report, &mut show)
                .await?;
            report.examined.competitions += 1;
            show(report.examined);
        }
        self.examine_accounts(&keyspace, &mut report, &mut show)
            .await?;
        Ok(report)
    }
}
