//! How many calls are in flight: beyond the limit they are turned away at once, while that is cheap.
//!
//! There is no queue: a call in flight waits for Redis, not for a core, and HTTP/2 holds back what one
//! connection may send. The limit keeps the memory of a server bounded when thousands of connections
//! call at the same time.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::Rejection;

use crate::errors::Failure;

/// When it is worth trying again: calls take milliseconds.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The calls in flight.
#[derive(Debug)]
pub(super) struct Load {
    max: u32,
    in_flight: AtomicU32,
}

/// A place among the calls in flight, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place<'a>(&'a AtomicU32);

impl Load {
    pub(super) fn up_to(max: u32) -> Self {
        Self {
            max,
            in_flight: AtomicU32::new(0),
        }
    }

    /// Takes a place, or answers OVERLOADED.
    pub(super) fn admit(&self) -> Result<Place<'_>, Failure> {
        let place = Place(&self.in_flight);
        if self.in_flight.fetch_add(1, Ordering::Relaxed) < self.max {
            Ok(place)
        } else {
            Err(Failure::from(Rejection::Overloaded {
                retry_after: RETRY_AFTER,
            }))
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_calls_are_turned_away_until_one_ends() {
        let load = Load::up_to(2);
        let first = load.admit().expect("a place");
        let _second = load.admit().expect("a place");
        for _ in 0..3 {
            assert!(matches!(load.admit(), Err(Failure::Rejected(rejected))
                if matches!(rejected.rejection, Rejection::Overloaded { .. })));
        }
        drop(first);
        let _third = load.admit().expect("a place");
        assert!(load.admit().is_err());
    }
}
