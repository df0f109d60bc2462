//! What happens on one connection, without a lock: written by its calls, read by its lifetime and
//! by the limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Activity {
    accepted_at: Instant,
    has_greeted: AtomicBool,
    has_called: AtomicBool,
    open_streams: AtomicU32,
    /// Milliseconds from `accepted_at` to the end of the last stream.
    idle_since: AtomicU64,
    /// Counts reads and writes, so that two looks at it show whether something happened between.
    progress: AtomicU64,
}

impl Activity {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            accepted_at: now,
            has_greeted: AtomicBool::new(false),
            has_called: AtomicBool::new(false),
            open_streams: AtomicU32::new(0),
            idle_since: AtomicU64::new(0),
            progress: AtomicU64::new(0),
        }
    }

    pub(super) fn accepted_at(&self) -> Instant {
        self.accepted_at
    }

    /// The client has sent the preface of HTTP/2 and a first frame.
    pub(super) fn greet(&self) {
        self.has_greeted.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_greeted(&self) -> bool {
        self.has_greeted.load(Ordering::Relaxed)
    }

    /// Whether the connection ever had a stream.
    pub(super) fn has_called(&self) -> bool {
        self.has_called.load(Ordering::Relaxed)
    }

    /// Returns when the last stream ended, or the connection was accepted; `None` while a stream is
    /// open. A stream ends here when HTTP/2 has its whole response, which a slow client may still
    /// be receiving.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let is_idle = self.open_streams.load(Ordering::Relaxed) == 0;
        let since = Duration::from_millis(self.idle_since.load(Ordering::Relaxed));
        is_idle.then(|| self.accepted_at + since)
    }

    pub(super) fn progressed(&self) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn progress(&self) -> u64 {
        self.progress.load(Ordering::Relaxed)
    }
}

/// An open stream. Dropping it ends the stream.
#[derive(Debug)]
pub(super) struct OpenStream(Arc<Activity>);

impl OpenStream {
    pub(super) fn new(activity: &Arc<Activity>) -> Self {
        activity.open_streams.fetch_add(1, Ordering::Relaxed);
        activity.has_called.store(true, Ordering::Relaxed);
        Self(Arc::clone(activity))
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let Self(activity) = self;
        let since = activity.accepted_at.elapsed().as_millis();
        let since = u64::try_from(since).unwrap_or(u64::MAX);
        activity.idle_since.store(since, Ordering::Relaxed);
        activity.open_streams.fetch_sub(1, Ordering::Relaxed);
    }
}
