//! Paced: calls come at a given rate, whether or not the ones before are answered. So a server that is
//! slow shows it, since a latency counts from the moment at which the call was due.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::{Answer, Tally};
use crate::Result;

/// How late a timer of tokio can be. That is not the server's doing.
const TIMER: Duration = Duration::from_millis(1);

/// Calls so many times a second for so long, and waits for the last answer.
pub(crate) async fn run<C, F>(mut caller: C, per_second: u32, length: Duration) -> Result<Tally>
where
    C: FnMut() -> F,
    F: Future<Output = Answer> + Send + 'static,
{
    let began_at = Instant::now();
    let pause = Duration::from_secs(1) / per_second;
    let mut calls = JoinSet::new();
    let mut due = began_at;
    while due < began_at + length {
        sleep_until(due.into()).await;
        let called_at = Instant::now().min(due + TIMER);
        let call = caller();
        calls.spawn(async move { (call.await, called_at.elapsed()) });
        due += pause;
    }
    let mut tally = Tally::new();
    while let Some(ended) = calls.join_next().await {
        let (answer, took) = ended?;
        tally.record(&answer, took);
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_come_at_their_rate_although_none_is_answered_in_time() {
        let caller = || async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(())
        };
        let tally = run(caller, 200, Duration::from_millis(100)).await;
        let tally = tally.expect("no panic");
        assert_eq!(tally.calls(), 20);
        assert!(tally.quantile_ms(0.5) >= 99.0);
    }
}
