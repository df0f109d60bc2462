//! Tells connections that places have become scarce.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The least time between two notifications, because each wakes every connection.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Pressure {
    notify: Notify,
    rose_at: Mutex<Option<Instant>>,
}

impl Pressure {
    /// Wakes the waiting connections, at most once a second.
    pub(super) fn rise(&self, now: Instant) {
        let mut rose_at = self.rose_at.lock().unwrap_or_else(PoisonError::into_inner);
        if rose_at.is_some_and(|at| now < at + PAUSE) {
            return;
        }
        *rose_at = Some(now);
        self.notify.notify_waiters();
    }

    /// Completes with the next [`rise`](Self::rise).
    pub(super) async fn rises(&self) {
        self.notify.notified().await;
    }
}
