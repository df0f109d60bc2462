//! What an examination finds.

use std::fmt;

use store::repair::Repair;

/// A problem in the stored data. Contains ids and names of keys, and no personal data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub severity: Severity,
    /// What is affected, such as `competition spring-cup`.
    pub subject: String,
    /// What is wrong, in one line.
    pub problem: String,
    /// A repair that is safe, if there is one.
    pub repair: Option<Repair>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// An invariant does not hold.
    Broken,
    /// An account or a claim that a call left unfinished because it was cut off. It affects nothing
    /// else, and no service will finish it.
    Orphan,
    /// What the services leave behind as they work and clean up later: stale entries of indexes. It
    /// is harmless.
    Leftover,
}

/// How much of the data was examined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    pub keys: usize,
    /// The number of keys when the scan started; 0 = not known yet.
    pub all_keys: usize,
    /// Accounts of users and of admins.
    pub accounts: usize,
    /// Competitions, deleted drafts included.
    pub competitions: usize,
    /// The number of competitions; 0 = not known yet.
    pub all_competitions: usize,
    /// Log entries that were replayed.
    pub log_entries: usize,
    /// Registrations that were compared with the log, ended ones included.
    pub registrations: usize,
}

/// The result of an examination.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How much was examined.
    pub examined: Progress,
    /// All findings, ordered by severity and subject.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Sorts the findings and removes duplicates: a scan may return a key twice.
    pub(crate) fn new(mut findings: Vec<Finding>, examined: Progress) -> Self {
        findings.sort_unstable();
        findings.dedup();
        Self { examined, findings }
    }

    /// Whether all invariants hold and there is no orphan.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.all(|finding| finding.severity == Severity::Leftover)
    }

    /// The number of findings of this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        let findings = self.findings.iter();
        findings.filter(|found| found.severity == severity).count()
    }
}

impl Finding {
    /// An invariant that does not hold.
    pub(crate) fn broken(subject: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self::new(Severity::Broken, subject, problem)
    }

    pub(crate) fn orphan(subject: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self::new(Severity::Orphan, subject, problem)
    }

    pub(crate) fn leftover(subject: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self::new(Severity::Leftover, subject, problem)
    }

    fn new(severity: Severity, subject: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self {
            severity,
            subject: one_line(&subject.to_string()),
            problem: one_line(&problem.to_string()),
            repair: None,
        }
    }

    pub(crate) fn with_repair(self, repair: impl Into<Option<Repair>>) -> Self {
        Self {
            repair: repair.into(),
            ..self
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broken => "finding",
            Self::Orphan => "orphan",
            Self::Leftover => "leftover",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.severity, self.subject, self.problem)
    }
}

/// Makes a text that may have been changed by hand safe to print: one line, of at most 300
/// characters, without e-mail addresses.
fn one_line(text: &str) -> String {
    const MAX_CHARS: usize = 300;
    let is_separator = |c: char| c.is_whitespace() || "{}:,".contains(c);
    let words = text.split_inclusive(is_separator).map(|word| {
        let separator = word.chars().next_back().filter(|c| is_separator(*c));
        match (word.contains('@'), separator) {
            (false, _) => word.to_owned(),
            (true, None) => "(an address)".to_owned(),
            (true, Some(separator)) => format!("(an address){separator}"),
        }
    });
    let words: String = words.collect();
    let printable = words
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c });
    printable.take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_lists_each_finding_once_and_in_one_line() {
        let findings = vec![
            Finding::leftover("key a", "harmless"),
            Finding::broken("key b", "two\nlines"),
            Finding::broken("key a", "first"),
            Finding::broken("key b", "two\nlines"),
        ];
        let report = Report::new(findings, Progress::default());
        let lines: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
        let expected = [
            "finding: key a: first",
            "finding: key b: two\u{fffd}lines",
            "leftover: key a: harmless",
        ];
        assert_eq!(lines, expected);
        assert!(!report.is_sound());
    }

    #[test]
    fn an_email_address_is_not_printed() {
        for (text, printed) in [
            ("key email:{ada@example.org}", "key email:{(an address)}"),
            ("ada@example.org is invalid", "(an address) is invalid"),
            ("invalid: ada@example.org", "invalid: (an address)"),
        ] {
            assert_eq!(one_line(text), printed);
        }
    }
}
