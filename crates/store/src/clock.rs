//! What time it is for Redis, so that any number of servers agree.
//!
//! Redis is asked when a connection is opened; from there a monotonic clock goes on. Setting the clock of
//! a server's machine changes nothing.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use domain::Timestamp;

pub(crate) struct Clock {
    started: Instant,
    /// What Redis's clock showed, in milliseconds, when this one started.
    at_start: AtomicI64,
}

impl Clock {
    /// A clock that shows the machine's time until Redis was asked.
    pub(crate) fn new() -> Self {
        let machine = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            started: Instant::now(),
            at_start: AtomicI64::new(as_millis(machine.unwrap_or_default())),
        }
    }

    /// Takes over what Redis's TIME answered.
    pub(crate) fn set(&self, redis_millis: i64) {
        let at_start = redis_millis - as_millis(self.started.elapsed());
        self.at_start.store(at_start, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Timestamp {
        let millis = self.at_start.load(Ordering::Relaxed) + as_millis(self.started.elapsed());
        Timestamp::from_millis(millis).unwrap_or(Timestamp::MIN)
    }
}

fn as_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
