//! Whether a change may have been made although no answer came.
//!
//! A command that was sent cannot be taken back: the caller may give up, the connection may break, and
//! Redis may run it all the same. So the store notes in the task, just before it sends a deciding
//! write, that one is on its way, and takes the note back when Redis itself refuses the write.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

tokio::task_local! {
    static ON_THE_WAY: Tracker;
}

/// What is known of a call that got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was changed.
    NotApplied,
    /// A deciding write was sent: it may have been made, now or a moment later.
    Unknown,
}

/// Follows the deciding writes of one call, also when its future is dropped.
#[derive(Debug, Clone, Default)]
pub struct Tracker(Arc<AtomicU32>);

impl Tracker {
    /// Runs a call and follows its writes.
    pub fn follow<F: Future>(&self, call: F) -> impl Future<Output = F::Output> + use<F> {
        ON_THE_WAY.scope(self.clone(), call)
    }

    /// The one that follows the current call, if one does.
    pub(crate) fn current() -> Option<Self> {
        ON_THE_WAY.try_with(Self::clone).ok()
    }

    /// Notes that a deciding write is sent now.
    pub(crate) fn sent(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// Takes the note back: Redis refused that write, or it was not sent after all.
    pub(crate) fn refused(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }

    /// What is known so far.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.0.load(Ordering::Acquire) {
            0 => Outcome::NotApplied,
            _ => Outcome::Unknown,
        }
    }
}

/// Notes in the current call that a deciding write is sent now. Outside of a followed call, as in a
/// task of the server's own, nobody asks.
pub(crate) fn sent() {
    let _ = ON_THE_WAY.try_with(Tracker::sent);
}

/// Takes the note in the current call back.
pub(crate) fn refused() {
    let _ = ON_THE_WAY.try_with(Tracker::refused);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refused_write_leaves_no_doubt() {
        let tracker = Tracker::default();
        tracker
            .follow(async {
                sent();
                refused();
            })
            .await;
        assert_eq!(tracker.outcome(), Outcome::NotApplied);
    }

    #[tokio::test]
    async fn a_write_without_an_answer_is_in_doubt_also_when_the_caller_gave_up() {
        let tracker = Tracker::default();
        let call = tracker.follow(async {
            sent();
            std::future::pending::<()>().await;
        });
        let given_up = tokio::time::timeout(std::time::Duration::ZERO, call).await;
        assert!(given_up.is_err());
        assert_eq!(tracker.outcome(), Outcome::Unknown);
    }
}
