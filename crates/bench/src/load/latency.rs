//! How long calls took, and how many failed.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::Answer;

/// What is told apart, in microseconds: from 1 to a minute, to 1 %.
const LONGEST_MICROS: u64 = 60_000_000;
const DIGITS: u8 = 2;

/// Calls that have ended.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    micros: Histogram<u32>,
    /// Calls that were not answered as expected.
    pub(crate) failed: u64,
    /// What the first one of them said.
    pub(crate) first_failure: Option<String>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        let micros = Histogram::new_with_bounds(1, LONGEST_MICROS, DIGITS);
        Self {
            micros: micros.unwrap_or_else(|_| unreachable!("the bounds are in order")),
            failed: 0,
            first_failure: None,
        }
    }

    /// Counts a call that took this long.
    pub(crate) fn record(&mut self, answer: &Answer, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(LONGEST_MICROS);
        self.micros.saturating_record(micros);
        self.note(answer);
    }

    /// Notes a failure without counting the call.
    pub(crate) fn note(&mut self, answer: &Answer) {
        if let Err(failure) = answer {
            self.failed += 1;
            self.first_failure.get_or_insert_with(|| failure.clone());
        }
    }

    /// Takes over what another one counted.
    pub(crate) fn add(&mut self, other: &Self) {
        // Both have the same bounds, so that there is nothing to refuse.
        let _ = self.micros.add(&other.micros);
        self.failed += other.failed;
        if self.first_failure.is_none() {
            self.first_failure.clone_from(&other.first_failure);
        }
    }

    /// How many calls were counted.
    pub(crate) fn calls(&self) -> u64 {
        self.micros.len()
    }

    /// The latency that this share of the calls did not exceed, in milliseconds.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        self.micros.value_at_quantile(share) as f64 / 1e3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_calls_to_one_percent() {
        let mut tally = Tally::new();
        for millis in 1..=1_000 {
            tally.record(&Ok(()), Duration::from_millis(millis));
        }
        for (share, expected) in [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0)] {
            let error = (tally.quantile_ms(share) - expected).abs() / expected;
            assert!(error <= 0.01, "{share}: {}", tally.quantile_ms(share));
        }
    }

    #[test]
    fn what_several_callers_counted_adds_up_and_the_first_failure_is_kept() {
        let mut all = Tally::new();
        for failure in ["first", "second"] {
            let mut one = Tally::new();
            one.record(&Ok(()), Duration::from_millis(1));
            one.note(&Err(failure.to_owned()));
            all.add(&one);
        }
        assert_eq!((all.calls(), all.failed), (2, 2));
        assert_eq!(all.first_failure.as_deref(), Some("first"));
    }
}
