//! Keeps account of writes, to tell whether a call without a reply may have changed something.
//!
//! A command that was sent cannot be taken back: the caller may give up, the connection may break,
//! and Redis may execute it all the same. So the store counts each deciding write just before it is
//! sent, and takes the count back when Redis refuses the write. The count is task-local, because a
//! call that is cancelled returns nothing in which it could be handed up.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

tokio::task_local! {
    static TRACKER: WriteTracker;
}

/// What is known of a call that got no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// Nothing was changed.
    NotApplied,
    /// A deciding write was sent. It may have been executed, or may be executed a moment later.
    Unknown,
}

/// Follows the deciding writes of one call, also when the call's future is dropped.
#[derive(Debug, Clone, Default)]
pub struct WriteTracker(Arc<AtomicU32>);

impl WriteTracker {
    /// Runs a call and follows its writes.
    pub fn follow<F: Future>(&self, call: F) -> impl Future<Output = F::Output> + use<F> {
        TRACKER.scope(self.clone(), call)
    }

    /// The tracker of the current call, if there is one.
    pub(crate) fn current() -> Option<Self> {
        TRACKER.try_with(Self::clone).ok()
    }

    /// Counts a deciding write that is sent now.
    pub(crate) fn sent(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// Takes back a count: Redis refused the write, or it was not sent.
    pub(crate) fn refused(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }

    /// What is known so far.
    #[must_use]
    pub fn outcome(&self) -> WriteOutcome {
        match self.0.load(Ordering::Acquire) {
            0 => WriteOutcome::NotApplied,
            _ => WriteOutcome::Unknown,
        }
    }
}

/// Counts a deciding write of the current call. Does nothing in a task that no tracker follows,
/// such as a background task of the service.
pub(crate) fn sent() {
    let _ = TRACKER.try_with(WriteTracker::sent);
}

/// Takes back a count of the current call.
pub(crate) fn refused() {
    let _ = TRACKER.try_with(WriteTracker::refused);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refused_write_was_not_applied() {
        let tracker = WriteTracker::default();
        tracker
            .follow(async {
                sent();
                refused();
            })
            .await;
        assert_eq!(tracker.outcome(), WriteOutcome::NotApplied);
    }

    #[tokio::test]
    async fn a_write_without_a_reply_is_unknown_also_when_the_caller_gave_up() {
        let tracker = WriteTracker::default();
        let call = tracker.follow(async {
            sent();
            std::future::pending::<()>().await;
        });
        let given_up = tokio::time::timeout(std::time::Duration::ZERO, call).await;
        assert!(given_up.is_err());
        assert_eq!(tracker.outcome(), WriteOutcome::Unknown);
    }
}
