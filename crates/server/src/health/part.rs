//! Redis or the peer: when it counts as up, and when as down.

use std::time::{Duration, SystemTime};

/// One failure may be a lost packet or a restart; two in a row are news.
const FAILURES_TO_GO_DOWN: u32 = 2;

/// The last check of a part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checked {
    /// When the answer came, or when the time was up.
    pub(crate) at: SystemTime,
    /// How long it took.
    pub(crate) latency: Duration,
    /// A fixed sentence, if it failed.
    pub(crate) error: Option<&'static str>,
}

/// What is known about one part of deep. Not serving until proven.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part {
    serving: bool,
    failures: u32,
    last: Option<Checked>,
}

impl Part {
    /// Takes note of a check: one success to come up, two failures in a row to
    /// go down.
    pub(crate) fn record(&mut self, checked: Checked) {
        self.last = Some(checked);
        if checked.error.is_none() {
            self.serving = true;
            self.failures = 0;
        } else {
            self.failures = self.failures.saturating_add(1);
            self.serving &= self.failures < FAILURES_TO_GO_DOWN;
        }
    }

    /// Forgets what was proven.
    pub(super) fn doubt(&mut self) {
        self.serving = false;
    }

    pub(crate) fn is_serving(&self) -> bool {
        self.serving
    }

    pub(crate) fn last(&self) -> Option<Checked> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The part after these checks, `true` standing for a success.
    fn after(checks: &[bool]) -> Part {
        let mut part = Part::default();
        for &success in checks {
            let error = (!success).then_some("it failed");
            part.record(Checked {
                at: SystemTime::UNIX_EPOCH,
                latency: Duration::ZERO,
                error,
            });
        }
        part
    }

    #[test]
    fn it_is_not_serving_until_proven() {
        assert!(!after(&[]).is_serving());
        assert!(!after(&[false]).is_serving());
    }

    #[test]
    fn one_success_brings_it_up() {
        assert!(after(&[true]).is_serving());
        assert!(after(&[false, false, false, true]).is_serving());
    }

    #[test]
    fn one_failure_does_not_take_it_down_and_two_in_a_row_do() {
        assert!(after(&[true, false]).is_serving());
        assert!(after(&[true, false, true, false]).is_serving());
        assert!(!after(&[true, false, false]).is_serving());
        assert!(!after(&[true, false, false, false]).is_serving());
    }

    #[test]
    fn what_is_in_doubt_takes_one_success_to_come_up() {
        let mut part = after(&[true]);
        part.doubt();
        assert!(!part.is_serving());
    }
}
