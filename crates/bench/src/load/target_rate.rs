//! Calls at a target rate. Latency counts from the moment at which a call was due, so that a slow
//! server cannot hide its latency by slowing the generator down.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::stats::{CallResult, CallStats};
use crate::result::Result;

/// How late a tokio timer may fire; the server is not charged for it.
const TIMER_PRECISION: Duration = Duration::from_millis(1);

/// Starts calls at this rate, and returns when the last one has returned.
pub(crate) async fn run<F>(
    mut call: impl FnMut() -> F,
    calls_per_second: u32,
    duration: Duration,
) -> Result<CallStats>
where
    F: Future<Output = CallResult> + Send + 'static,
{
    let started_at = Instant::now();
    let interval = Duration::from_secs(1) / calls_per_second;
    let mut calls = JoinSet::new();
    let mut due = started_at;
    while due < started_at + duration {
        sleep_until(due.into()).await;
        let called_at = Instant::now().min(due + TIMER_PRECISION);
        let call = call();
        calls.spawn(async move { (call.await, called_at.elapsed()) });
        due += interval;
    }
    let mut stats = CallStats::new();
    while let Some(ended) = calls.join_next().await {
        let (result, latency) = ended?;
        stats.record(&result, latency);
    }
    Ok(stats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_start_at_the_target_rate_while_earlier_ones_wait() {
        let call = || async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(())
        };
        let stats = run(call, 200, Duration::from_millis(100)).await;
        let stats = stats.expect("no panic");
        assert_eq!(stats.calls(), 20);
        assert!(stats.quantile_ms(0.5) >= 99.0);
    }
}
