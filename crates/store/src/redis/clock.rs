//! The time by Redis's clock, so that any number of servers agree on it.
//!
//! Redis is asked when a connection is opened. From then on the monotonic clock of the machine is
//! added, so that setting the machine's clock changes nothing.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use domain::Timestamp;

/// How far the machine's two clocks may drift apart before Redis is asked again, in milliseconds:
/// more than a clock is usually corrected by, and less than any deadline.
const MAX_DRIFT: i64 = 2_000;

pub(super) struct Clock {
    started: Instant,
    /// The time by Redis's clock when this clock started, in milliseconds.
    redis_at_start: AtomicI64,
    /// The time by the machine's clock when this clock started, in milliseconds, computed when
    /// Redis was last asked.
    machine_at_start: AtomicI64,
}

impl Clock {
    /// A clock that shows the machine's time until it is set.
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            redis_at_start: AtomicI64::new(machine_millis()),
            machine_at_start: AtomicI64::new(machine_millis()),
        }
    }

    /// Sets the clock to the reply of Redis's TIME, in milliseconds.
    pub(super) fn set(&self, redis_millis: i64) {
        let elapsed = self.elapsed();
        self.redis_at_start
            .store(redis_millis - elapsed, Ordering::Relaxed);
        self.machine_at_start
            .store(machine_millis() - elapsed, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> Timestamp {
        let millis = self.redis_at_start.load(Ordering::Relaxed) + self.elapsed();
        Timestamp::from_millis(millis).unwrap_or(Timestamp::MIN)
    }

    /// Whether Redis should be asked again: the machine was suspended, which stops its monotonic
    /// clock, or its clock was set.
    pub(super) fn is_doubtful(&self) -> bool {
        let machine = self.machine_at_start.load(Ordering::Relaxed) + self.elapsed();
        (machine_millis() - machine).abs() > MAX_DRIFT
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
    fn it_shows_the_time_of_redis_and_not_of_the_machine() {
        let clock = Clock::new();
        let redis = machine_millis() - HOUR;
        clock.set(redis);
        let shown = clock.now().as_millis();
        assert!((redis..redis + MAX_DRIFT).contains(&shown));
        assert!(!clock.is_doubtful());
    }

    #[test]
    fn it_is_doubtful_after_the_machine_was_suspended_or_its_clock_was_set() {
        let clock = Clock::new();
        assert!(!clock.is_doubtful());
        // The machine's clock is now an hour ahead of the monotonic one.
        clock.machine_at_start.fetch_sub(HOUR, Ordering::Relaxed);
        assert!(clock.is_doubtful());
        clock.set(HOUR);
        assert!(!clock.is_doubtful());
        clock.machine_at_start.fetch_add(HOUR, Ordering::Relaxed);
        assert!(clock.is_doubtful());
    }
}
