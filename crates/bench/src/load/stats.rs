//! Calls, how long they took and how many failed.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The range and the precision of latencies: from 1 microsecond to a minute, to 1 %.
const MAX_MICROS: u64 = 60_000_000;
const SIGNIFICANT_DIGITS: u8 = 2;

/// `Err` describes a response other than the expected one.
pub(crate) type CallResult = Result<(), String>;

pub(crate) trait Caller: Send + 'static {
    fn call(&mut self) -> impl Future<Output = CallResult> + Send;
}

/// The latencies and the failures of many calls.
#[derive(Debug, Clone)]
pub(crate) struct CallStats {
    micros: Histogram<u32>,
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
}

impl CallStats {
    pub(crate) fn new() -> Self {
        let micros = Histogram::new_with_bounds(1, MAX_MICROS, SIGNIFICANT_DIGITS);
        Self {
            micros: micros.unwrap_or_else(|_| unreachable!("the bounds are valid")),
            failed: 0,
            first_failure: None,
        }
    }

    /// Counts a call with its latency.
    pub(crate) fn record(&mut self, result: &CallResult, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(MAX_MICROS);
        self.micros.saturating_record(micros);
        self.record_failure(result);
    }

    /// Counts a failure but not the call, for calls during the warm-up.
    pub(crate) fn record_failure(&mut self, result: &CallResult) {
        if let Err(failure) = result {
            self.failed += 1;
            self.first_failure.get_or_insert_with(|| failure.clone());
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        // It fails only for histograms with different bounds.
        let _ = self.micros.add(&other.micros);
        self.failed += other.failed;
        if self.first_failure.is_none() {
            self.first_failure.clone_from(&other.first_failure);
        }
    }

    pub(crate) fn calls(&self) -> u64 {
        self.micros.len()
    }

    /// The latency that this share of the calls did not exceed, in milliseconds; 0.99 for p99.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        self.micros.value_at_quantile(share) as f64 / 1e3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_one_percent() {
        let mut stats = CallStats::new();
        for millis in 1..=1_000 {
            stats.record(&Ok(()), Duration::from_millis(millis));
        }
        for (share, expected) in [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0)] {
            let error = (stats.quantile_ms(share) - expected).abs() / expected;
            assert!(error <= 0.01, "{share}: {}", stats.quantile_ms(share));
        }
    }

    #[test]
    fn added_stats_are_summed_and_keep_the_first_failure() {
        let mut all = CallStats::new();
        for failure in ["first", "second"] {
            let mut one = CallStats::new();
            one.record(&Ok(()), Duration::from_millis(1));
            one.record_failure(&Err(failure.to_owned()));
            all.add(&one);
        }
        assert_eq!((all.calls(), all.failed), (2, 2));
        assert_eq!(all.first_failure.as_deref(), Some("first"));
    }
}
