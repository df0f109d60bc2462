//! What one connection uses.

use std::sync::atomic::AtomicU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::{USES, Use};

/// How long a client may leave its responses unread. The largest page arrives in it at 1 Mbit/s, and
/// it is the longest time for a call by default.
pub(super) const UNREAD_TIMEOUT: Duration = Duration::from_secs(30);

/// What one connection uses of the limits that all connections share.
#[derive(Debug, Default)]
pub struct ConnectionUsage {
    /// The places that the connection holds, by [`Use`].
    held: [AtomicU32; USES],
    unread: Mutex<UnreadResponses>,
    overdrawn: Notify,
}

/// The responses that have not been written to the socket, because the client does not read.
#[derive(Debug, Default)]
struct UnreadResponses {
    count: usize,
    /// When the last of them was written, or the first one began to wait.
    progress_at: Option<Instant>,
}

impl ConnectionUsage {
    pub(crate) fn held(&self, purpose: Use) -> &AtomicU32 {
        &self.held[purpose as usize]
    }

    pub(crate) fn response_begins(&self) {
        let mut unread = self.unread();
        unread.count += 1;
        if unread.count == 1 {
            unread.progress_at = Some(Instant::now());
        }
    }

    pub(crate) fn response_written(&self) {
        let mut unread = self.unread();
        unread.count -= 1;
        if unread.count > 0 {
            unread.progress_at = Some(Instant::now());
        }
    }

    /// Closes the connection: its client reads no responses, and there is no place for more.
    pub(crate) fn overdraw(&self) {
        self.overdrawn.notify_one();
    }

    pub(super) async fn overdrawn(&self) {
        self.overdrawn.notified().await;
    }

    /// Whether responses wait and none could be written for this long.
    pub(super) fn has_stalled(&self, timeout: Duration) -> bool {
        let unread = self.unread();
        let since = unread.progress_at.filter(|_| unread.count > 0);
        since.is_some_and(|at| at.elapsed() >= timeout)
    }

    fn unread(&self) -> MutexGuard<'_, UnreadResponses> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
