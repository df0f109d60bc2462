//! Closed: each caller calls again when it is answered. So many calls are in flight as there are callers,
//! and what is measured is how many are answered.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use super::{Answer, Tally};
use crate::Result;

/// A caller that failed so often in a row calls no more.
const MOST_FAILURES: u32 = 100;

/// When calls are made, and when they count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// Calls that end before this moment are made and not counted.
    pub(crate) begins_at: Instant,
    /// No call is made after this moment.
    pub(crate) ends_at: Instant,
}

impl Window {
    /// A window that opens after a while.
    pub(crate) fn new(warm_up: Duration, length: Duration) -> Self {
        let begins_at = Instant::now() + warm_up;
        Self {
            begins_at,
            ends_at: begins_at + length,
        }
    }
}

/// Callers at work.
pub(crate) struct Running<C> {
    window: Window,
    callers: Vec<JoinHandle<(C, Tally)>>,
}

/// Lets the callers begin, all at the same time. Each call of one makes a request.
pub(crate) fn start<C, F>(callers: Vec<C>, window: Window) -> Running<C>
where
    C: FnMut() -> F + Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let begin = |caller| tokio::spawn(call_until_the_end(caller, window));
    Running {
        window,
        callers: callers.into_iter().map(begin).collect(),
    }
}

impl<C> Running<C> {
    /// Waits until calls count.
    pub(crate) async fn begun(&self) {
        sleep_until(self.window.begins_at.into()).await;
    }

    /// Waits until calls no longer count.
    pub(crate) async fn ended(&self) {
        sleep_until(self.window.ends_at.into()).await;
    }

    /// Waits for the last answers; gives the callers back, for another time, and what they counted.
    pub(crate) async fn finish(self) -> Result<(Vec<C>, Tally)> {
        let mut callers = Vec::with_capacity(self.callers.len());
        let mut all = Tally::new();
        for caller in self.callers {
            let (caller, tally) = caller.await?;
            callers.push(caller);
            all.add(&tally);
        }
        Ok((callers, all))
    }
}

async fn call_until_the_end<C, F>(mut caller: C, window: Window) -> (C, Tally)
where
    C: FnMut() -> F,
    F: Future<Output = Answer>,
{
    let mut tally = Tally::new();
    let mut failures_in_a_row = 0;
    loop {
        let called_at = Instant::now();
        if called_at >= window.ends_at || failures_in_a_row == MOST_FAILURES {
            return (caller, tally);
        }
        let answer = caller().await;
        let answered_at = Instant::now();
        failures_in_a_row = answer.as_ref().map_or(failures_in_a_row + 1, |()| 0);
        if (window.begins_at..window.ends_at).contains(&answered_at) {
            tally.record(&answer, answered_at - called_at);
        } else {
            tally.note(&answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn callers_call_within_the_window_and_can_be_used_again() {
        let caller = || async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(())
        };
        let window = Window::new(Duration::from_millis(10), Duration::from_millis(50));
        let running = start(vec![caller; 4], window);
        running.ended().await;
        let (callers, tally) = running.finish().await.expect("no panic");
        assert_eq!(callers.len(), 4);
        // At most 50 each in 50 ms, and some even on a busy machine.
        assert!((4..=4 * 50).contains(&tally.calls()), "{}", tally.calls());
        assert_eq!(tally.failed, 0);
    }

    #[tokio::test]
    async fn a_caller_that_only_fails_gives_up() {
        let caller = || async { Err("no".to_owned()) };
        let window = Window::new(Duration::ZERO, Duration::from_secs(60));
        let (_, tally) = start(vec![caller], window)
            .finish()
            .await
            .expect("no panic");
        assert_eq!(tally.failed, u64::from(MOST_FAILURES));
        assert_eq!(tally.first_failure.as_deref(), Some("no"));
    }
}
