//! A limit on how often each key may do something, such as an account or a network.
//!
//! It is in the memory of one process, so a restart resets it, and each replica has its own.
//!
//! The `governor` crate computes the same, but its table of keys has no maximum: a stranger who
//! invents keys would fill the memory between two calls of its clean-up.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The most keys in the table. With a key of 16 bytes and the free places of a hash table this is
/// at most 1.5 MB.
const MAX_KEYS: usize = 16_384;

/// How many keys remain when a full table makes room. Freeing an eighth at once keeps the cost of
/// a flood of new keys constant per key.
const KEYS_AFTER_ROOM: usize = MAX_KEYS / 8 * 7;

/// Allows each key `limit` events at once, and `limit` in each period on average.
///
/// This is a token bucket in the form of the generic cell rate algorithm (GCRA): the moment at
/// which the bucket of a key is full again says everything about the key.
#[derive(Debug)]
pub struct RateLimit<K> {
    period: Duration,
    /// The share of the period that one event takes. `None` = no limit.
    interval: Option<Duration>,
    full_again_at: Mutex<HashMap<K, Instant>>,
}

impl<K: Clone + Eq + Hash> RateLimit<K> {
    /// A limit of 0 allows everything.
    #[must_use]
    pub fn new(limit: u32, period: Duration) -> Self {
        Self {
            period,
            interval: period.checked_div(limit),
            full_again_at: Mutex::default(),
        }
    }

    /// Counts one event, or fails with the time until the next event is allowed. An event that is
    /// refused does not count.
    pub fn take(&self, key: &K, now: Instant) -> Result<(), Duration> {
        let Some(interval) = self.interval else {
            return Ok(());
        };
        let mut table = self.lock();
        let known = table.get_mut(key);
        let full_at = known.as_deref().map_or(now, |full_at| now.max(*full_at)) + interval;
        let allowed_at = full_at - self.period;
        if now < allowed_at {
            return Err(allowed_at - now);
        }
        if let Some(known) = known {
            *known = full_at;
            return Ok(());
        }
        if table.len() >= MAX_KEYS {
            make_room(&mut table, now);
        }
        table.insert(key.clone(), full_at);
        Ok(())
    }

    /// Takes back one event that was counted, for example an attempt that turned out to be
    /// harmless.
    pub fn give_back(&self, key: &K) {
        if let Some(interval) = self.interval
            && let Some(full_at) = self.lock().get_mut(key)
        {
            *full_at -= interval;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Instant>> {
        self.full_again_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the keys whose bucket is full, which are as good as new, or else those that are full the
/// soonest. A flood of keys that are used once each therefore removes no key that is at its limit.
fn make_room<K: Clone + Eq + Hash>(table: &mut HashMap<K, Instant>, now: Instant) {
    table.retain(|_, full_at| now < *full_at);
    if table.len() <= KEYS_AFTER_ROOM {
        return;
    }
    let mut latest_first: Vec<_> = table.drain().collect();
    latest_first.select_nth_unstable_by_key(KEYS_AFTER_ROOM, |(_, full_at)| Reverse(*full_at));
    latest_first.truncate(KEYS_AFTER_ROOM);
    table.extend(latest_first);
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_key_may_use_its_limit_at_once_and_then_one_in_each_interval() {
        let limit = RateLimit::new(6, MINUTE);
        let now = Instant::now();
        for _ in 0..6 {
            assert_eq!(limit.take(&"ada", now), Ok(()));
        }
        assert_eq!(limit.take(&"ada", now), Err(Duration::from_secs(10)));
        let later = now + Duration::from_secs(7);
        assert_eq!(limit.take(&"ada", later), Err(Duration::from_secs(3)));
        let later = now + Duration::from_secs(10);
        assert_eq!(limit.take(&"ada", later), Ok(()));
        assert!(limit.take(&"ada", later).is_err());
    }

    #[test]
    fn keys_have_limits_of_their_own() {
        let limit = RateLimit::new(1, MINUTE);
        let now = Instant::now();
        assert_eq!(limit.take(&"ada", now), Ok(()));
        assert_eq!(limit.take(&"bob", now), Ok(()));
        assert_eq!(limit.take(&"ada", now), Err(MINUTE));
    }

    #[test]
    fn a_key_that_rested_for_a_period_has_its_whole_limit_and_no_more() {
        let limit = RateLimit::new(2, MINUTE);
        let start = Instant::now();
        assert_eq!(limit.take(&"ada", start), Ok(()));
        let later = start + 100 * MINUTE;
        assert_eq!(limit.take(&"ada", later), Ok(()));
        assert_eq!(limit.take(&"ada", later), Ok(()));
        assert!(limit.take(&"ada", later).is_err());
    }

    #[test]
    fn an_event_that_is_given_back_does_not_count() {
        let limit = RateLimit::new(1, MINUTE);
        let now = Instant::now();
        assert_eq!(limit.take(&"ada", now), Ok(()));
        limit.give_back(&"ada");
        assert_eq!(limit.take(&"ada", now), Ok(()));
        assert!(limit.take(&"ada", now).is_err());
    }

    #[test]
    fn a_limit_of_0_allows_everything() {
        let limit = RateLimit::new(0, MINUTE);
        let now = Instant::now();
        assert!((0..1_000).all(|_| limit.take(&"ada", now).is_ok()));
        assert!(limit.lock().is_empty());
    }

    #[test]
    fn a_flood_of_keys_neither_grows_the_table_nor_frees_a_key_at_its_limit() {
        let limit = RateLimit::new(2, MINUTE);
        let now = Instant::now();
        for _ in 0..2 {
            assert_eq!(limit.take(&usize::MAX, now), Ok(()));
        }
        for key in 0..3 * MAX_KEYS {
            assert_eq!(limit.take(&key, now), Ok(()));
            assert!(limit.lock().len() <= MAX_KEYS);
        }
        assert!(limit.take(&usize::MAX, now).is_err());
    }
}
