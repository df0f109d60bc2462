//! What an examination finds.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{CompetitionId, UserId};

/// Something that is not as it must be. Holds ids and names of keys, and no personal data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it is about, such as `competition spring-cup`.
    pub subject: String,
    /// What is wrong: one sentence, one line.
    pub problem: String,
    /// What can be done about it safely, if anything can.
    pub repair: Option<Repair>,
}

/// A repair that cannot make anything worse, however often it is made and whatever else goes on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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
    /// A user whom the directory lacks: entered.
    EnterInDirectory {
        /// Who.
        user: UserId,
    },
    /// The claim of an address by an account that is not there, or that was never finished: freed,
    /// unless it says something else by now.
    ReleaseClaim {
        /// The key of the claim.
        key: String,
        /// What it says.
        owner: String,
    },
    /// The registration of somebody whose account was erased: withdrawn, as the erasure would have.
    Withdraw {
        /// Who.
        user: UserId,
        /// Where.
        competition: CompetitionId,
    },
}

/// How far an examination is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Keys that were looked at.
    pub keys: u64,
    /// Of how many, when it began.
    pub all_keys: u64,
    /// Users' and admins' accounts that were examined.
    pub accounts: u64,
    /// Competitions that were examined, deleted drafts included.
    pub competitions: u64,
    /// Of how many; 0 = not known yet.
    pub all_competitions: u64,
    /// Log entries that were replayed.
    pub log_entries: u64,
    /// Registrations that were compared with the log, those that ended included.
    pub registrations: u64,
}

/// What an examination found, each list in the order of its subjects.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How much was looked at.
    pub examined: Progress,
    /// What is wrong; empty = all invariants hold.
    pub findings: Vec<Finding>,
    /// Halves of accounts and claims that a call left that was cut off. Nobody else is harmed, and
    /// nothing goes on by itself any more.
    pub orphans: Vec<Finding>,
    /// What the services leave behind as they work, and clean up when they come by: stale entries of
    /// indexes. It does no harm.
    pub leftovers: Vec<Finding>,
}

impl Report {
    /// Whether everything is as it must be: no finding and no orphan.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty() && self.orphans.is_empty()
    }

    /// All of it that can be repaired.
    pub fn repairable(&self) -> impl Iterator<Item = &Finding> {
        let all = self.findings.iter().chain(&self.orphans);
        all.chain(&self.leftovers)
            .filter(|finding| finding.repair.is_some())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.problem)
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForgetIndexEntry { competition, .. } => {
                write!(f, "the entry {competition} was taken from the index")
            }
            Self::EnterInIndex { competition, .. } => {
                write!(f, "{competition} was entered in the index")
            }
            Self::EnterInDirectory { .. } => f.write_str("was entered in the directory"),
            Self::ReleaseClaim { .. } => f.write_str("the address was freed"),
            Self::Withdraw { competition, .. } => write!(f, "was withdrawn from {competition}"),
        }
    }
}

/// What a part of an examination found.
#[derive(Debug, Default)]
pub(super) struct Problems {
    findings: Vec<Finding>,
    orphans: Vec<Finding>,
    leftovers: Vec<Finding>,
}

impl Problems {
    pub(super) fn find(&mut self, subject: impl fmt::Display, problem: impl fmt::Display) {
        self.findings.push(finding(subject, problem, None));
    }

    pub(super) fn find_repairable(
        &mut self,
        subject: impl fmt::Display,
        problem: impl fmt::Display,
        repair: Repair,
    ) {
        self.findings.push(finding(subject, problem, Some(repair)));
    }

    pub(super) fn orphan(
        &mut self,
        subject: impl fmt::Display,
        problem: impl fmt::Display,
        repair: Option<Repair>,
    ) {
        self.orphans.push(finding(subject, problem, repair));
    }

    pub(super) fn leave(
        &mut self,
        subject: impl fmt::Display,
        problem: impl fmt::Display,
        repair: Repair,
    ) {
        self.leftovers.push(finding(subject, problem, Some(repair)));
    }

    pub(super) fn append(&mut self, mut part: Self) {
        self.findings.append(&mut part.findings);
        self.orphans.append(&mut part.orphans);
        self.leftovers.append(&mut part.leftovers);
    }

    /// In order, and each once: a walk may come by a key twice.
    pub(super) fn report(mut self, examined: Progress) -> Report {
        for list in [&mut self.findings, &mut self.orphans, &mut self.leftovers] {
            list.sort_unstable();
            list.dedup();
        }
        Report {
            examined,
            findings: self.findings,
            orphans: self.orphans,
            leftovers: self.leftovers,
        }
    }
}

fn finding(
    subject: impl fmt::Display,
    problem: impl fmt::Display,
    repair: Option<Repair>,
) -> Finding {
    Finding {
        subject: one_line(&subject.to_string()),
        problem: one_line(&problem.to_string()),
        repair,
    }
}

/// A text that somebody's hand may have written, so that it fits in a line and names nobody's address.
fn one_line(text: &str) -> String {
    const MOST: usize = 300;
    let is_between = |c: char| c.is_whitespace() || "{}:,".contains(c);
    let words = text.split_inclusive(is_between).map(|word| {
        let end = word.chars().next_back().filter(|c| is_between(*c));
        match (word.contains('@'), end) {
            (false, _) => word.to_owned(),
            (true, end) => format!("(an address){}", end.map(String::from).unwrap_or_default()),
        }
    });
    let shown: String = words.collect();
    let shown = shown.chars().take(MOST);
    shown
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// What was looked at so far, counted by all parts together.
#[derive(Debug, Default)]
pub(super) struct Counters {
    keys: AtomicU64,
    all_keys: AtomicU64,
    accounts: AtomicU64,
    competitions: AtomicU64,
    all_competitions: AtomicU64,
    log_entries: AtomicU64,
    registrations: AtomicU64,
}

impl Counters {
    pub(super) fn progress(&self) -> Progress {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Progress {
            keys: read(&self.keys),
            all_keys: read(&self.all_keys),
            accounts: read(&self.accounts),
            competitions: read(&self.competitions),
            all_competitions: read(&self.all_competitions),
            log_entries: read(&self.log_entries),
            registrations: read(&self.registrations),
        }
    }

    pub(super) fn keys(&self, count: usize) {
        add(&self.keys, count);
    }

    pub(super) fn all_keys(&self, count: u64) {
        self.all_keys.store(count, Ordering::Relaxed);
    }

    pub(super) fn accounts(&self, count: usize) {
        add(&self.accounts, count);
    }

    pub(super) fn competition(&self) {
        add(&self.competitions, 1);
    }

    pub(super) fn all_competitions(&self, count: usize) {
        add(&self.all_competitions, count);
    }

    pub(super) fn log_entries(&self, count: usize) {
        add(&self.log_entries, count);
    }

    pub(super) fn registrations(&self, count: usize) {
        add(&self.registrations, count);
    }
}

fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_twice_is_said_once_and_in_one_line() {
        let mut problems = Problems::default();
        problems.find("key b", "two\nlines");
        problems.find("key a", "first");
        problems.find("key b", "two\nlines");
        let report = problems.report(Progress::default());
        let said: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["key a: first", "key b: two\u{fffd}lines"]);
    }

    #[test]
    fn nobody_s_address_is_said() {
        for (text, said) in [
            ("key email:{ada@example.org}", "key email:{(an address)}"),
            ("ada@example.org is nobody", "(an address) is nobody"),
            ("nobody is ada@example.org", "nobody is (an address)"),
        ] {
            assert_eq!(one_line(text), said);
        }
    }
}
