//! What time it is for Redis, so that any number of servers agree.
//!
//! Redis is asked when a connection is opened; from there a monotonic clock goes on. Setting the clock of
//! a server's machine changes nothing.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use domain::Timestamp;

/// How far the two clocks of a machine may drift apart, in milliseconds, before Redis is asked again: far
/// more than a clock is corrected by, and less than any deadline.
const MOST_DRIFT: i64 = 2_000;

pub(crate) struct Clock {
    started: Instant,
    /// What Redis's clock showed when this one started, in milliseconds.
    redis_at_start: AtomicI64,
    /// What the machine's clock showed then, as seen from the last time that Redis was asked.
    machine_at_start: AtomicI64,
}

impl Clock {
    /// A clock that shows the machine's time until Redis was asked.
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            redis_at_start: AtomicI64::new(machine_millis()),
            machine_at_start: AtomicI64::new(machine_millis()),
        }
    }

    /// Takes over what Redis's TIME answered.
    pub(crate) fn set(&self, redis_millis: i64) {
        let elapsed = self.elapsed();
        self.redis_at_start
            .store(redis_millis - elapsed, Ordering::Relaxed);
        self.machine_at_start
            .store(machine_millis() - elapsed, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Timestamp {
        let millis = self.redis_at_start.load(Ordering::Relaxed) + self.elapsed();
        Timestamp::from_millis(millis).unwrap_or(Timestamp::MIN)
    }

    /// Whether Redis should be asked again: the machine slept, during which a monotonic clock stands
    /// still, or its clock was set.
    pub(crate) fn is_doubtful(&self) -> bool {
        let machine = self.machine_at_start.load(Ordering::Relaxed) + self.elapsed();
        (machine_millis() - machine).abs() > MOST_DRIFT
    }

    fn elapsed(&self) -> i64 {
        as_millis(self.started.elapsed())
    }
}

fn machine_millis() -> i64 {
    as_millis(
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default(),
    )
}

fn as_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * 60 * 1000;

    #[test]
    fn it_shows_the_time_of_redis_whatever_the_machine_shows() {
        let clock = Clock::new();
        let redis = machine_millis() - HOUR;
        clock.set(redis);
        let shown = clock.now().as_millis();
        assert!((redis..redis + MOST_DRIFT).contains(&shown));
        assert!(!clock.is_doubtful());
    }

    #[test]
    fn it_is_doubtful_after_a_sleep_and_after_the_machine_was_set() {
        let clock = Clock::new();
        assert!(!clock.is_doubtful());
        // The machine's clock is an hour ahead of what the monotonic one says: it slept, or was set.
        clock.machine_at_start.fetch_sub(HOUR, Ordering::Relaxed);
        assert!(clock.is_doubtful());
        clock.set(HOUR);
        assert!(!clock.is_doubtful());
        clock.machine_at_start.fetch_add(HOUR, Ordering::Relaxed);
        assert!(clock.is_doubtful());
    }
}
