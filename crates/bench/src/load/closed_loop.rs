//! A closed loop: as many calls are in flight as there are callers.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::stats::{CallStats, Caller};
use crate::result::Result;

/// A caller stops after this many failures in a row.
const MAX_FAILURES: u32 = 100;

/// When calls count. Callers start before it, for the warm-up, and stop at its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) starts_at: Instant,
    pub(crate) ends_at: Instant,
}

impl Window {
    pub(crate) fn after(warm_up: Duration, duration: Duration) -> Self {
        let starts_at = Instant::now() + warm_up;
        Self {
            starts_at,
            ends_at: starts_at + duration,
        }
    }
}

/// Runs all callers until the window ends and the last response is there. Returns the callers, for
/// a further round, and the calls that returned within the window.
pub(crate) async fn run<C: Caller>(callers: Vec<C>, window: Window) -> Result<(Vec<C>, CallStats)> {
    let mut running: JoinSet<_> = callers
        .into_iter()
        .map(|caller| call_until_end(caller, window))
        .collect();
    let (mut callers, mut all) = (Vec::with_capacity(running.len()), CallStats::new());
    while let Some(ended) = running.join_next().await {
        let (caller, stats) = ended?;
        callers.push(caller);
        all.add(&stats);
    }
    Ok((callers, all))
}

async fn call_until_end<C: Caller>(mut caller: C, window: Window) -> (C, CallStats) {
    let mut stats = CallStats::new();
    let mut failures_in_a_row = 0;
    loop {
        let called_at = Instant::now();
        if called_at >= window.ends_at || failures_in_a_row == MAX_FAILURES {
            return (caller, stats);
        }
        let result = caller.call().await;
        let returned_at = Instant::now();
        failures_in_a_row = result.as_ref().map_or(failures_in_a_row + 1, |()| 0);
        if (window.starts_at..window.ends_at).contains(&returned_at) {
            stats.record(&result, returned_at - called_at);
        } else {
            stats.record_failure(&result);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;
    use crate::load::CallResult;

    struct Sleeper;

    impl Caller for Sleeper {
        async fn call(&mut self) -> CallResult {
            sleep(Duration::from_millis(1)).await;
            Ok(())
        }
    }

    struct Failing;

    impl Caller for Failing {
        async fn call(&mut self) -> CallResult {
            Err("no".to_owned())
        }
    }

    #[tokio::test]
    async fn calls_count_within_the_window_and_callers_can_be_used_again() {
        let window = Window::after(Duration::from_millis(10), Duration::from_millis(50));
        let callers = vec![Sleeper, Sleeper, Sleeper, Sleeper];
        let (callers, stats) = run(callers, window).await.expect("no panic");
        assert_eq!(callers.len(), 4);
        // At most 50 each in 50 ms, and at least some even on a busy machine.
        assert!((4..=4 * 50).contains(&stats.calls()), "{}", stats.calls());
        assert_eq!(stats.failed, 0);
    }

    #[tokio::test]
    async fn a_caller_that_only_fails_stops() {
        let window = Window::after(Duration::ZERO, Duration::from_secs(60));
        let (_, stats) = run(vec![Failing], window).await.expect("no panic");
        assert_eq!(stats.failed, u64::from(MAX_FAILURES));
        assert_eq!(stats.first_failure.as_deref(), Some("no"));
    }
}
