//! The limit of failed sign-ins per network.
//!
//! The store limits failures per account. This limit slows down a client that tries many accounts.
//! It is in the memory of one process, so a restart resets it. Confirmations of a password by a
//! signed-in person do not count.
//!
//! A blocked network refuses the accounts that have not signed in from it before. For the others,
//! the limit per account and network suffices, so that one stranger cannot lock out all people who
//! share a network, such as a school or a proxy.
//!
//! The `governor` crate does not fit: it limits how often something happens, while here only
//! failures count, a network is blocked for a fixed window, and the table has a maximum size.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::network::Network;

/// How long the failures of a network count, from the first one.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// The most networks in the table, of some 40 bytes each: less than 2 MB.
const MAX_NETWORKS: usize = 16_384;

/// Counts failed sign-ins per network and blocks networks with too many.
#[derive(Debug)]
pub struct SignInThrottle {
    limit: u32,
    failures: Mutex<HashMap<Network, Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    first_at: Instant,
    count: u32,
}

impl Failures {
    fn ends_at(self) -> Instant {
        self.first_at + WINDOW
    }
}

impl SignInThrottle {
    /// Blocks a network for the rest of its 15 minutes after this many failures; 0 = never.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        Self {
            limit,
            failures: Mutex::default(),
        }
    }

    /// Counts an attempt to sign in, before its password is checked: attempts at the same time stay
    /// within the limit. The attempt is taken back when it is dropped, unless it failed. Returns the
    /// time until the next attempt if the network is blocked.
    pub fn reserve(&self, network: Network, now: Instant) -> Result<NetworkAttempt<'_>, Duration> {
        if self.limit == 0 {
            return Ok(NetworkAttempt {
                throttle: self,
                network,
                first_at: None,
            });
        }
        let mut failures = self.lock();
        if failures.len() >= MAX_NETWORKS && !failures.contains_key(&network) {
            make_room(&mut failures, now);
        }
        let fresh = Failures {
            first_at: now,
            count: 0,
        };
        let failed = failures.entry(network).or_insert(fresh);
        if now >= failed.ends_at() {
            *failed = fresh;
        }
        if failed.count >= self.limit {
            return Err(failed.ends_at() - now);
        }
        failed.count += 1;
        Ok(NetworkAttempt {
            throttle: self,
            network,
            first_at: Some(failed.first_at),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Network, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt of a network to sign in. It is taken back when it is dropped.
#[derive(Debug)]
#[must_use]
pub struct NetworkAttempt<'a> {
    throttle: &'a SignInThrottle,
    network: Network,
    /// The start of the window in which it counts. `None` if nothing is counted.
    first_at: Option<Instant>,
}

impl NetworkAttempt<'_> {
    /// Counts the attempt for the rest of the window: the password was wrong.
    pub fn fail(mut self) {
        self.first_at = None;
    }
}

impl Drop for NetworkAttempt<'_> {
    fn drop(&mut self) {
        let Some(first_at) = self.first_at else {
            return;
        };
        let mut failures = self.throttle.lock();
        let Some(failed) = failures.get_mut(&self.network) else {
            return;
        };
        if failed.first_at == first_at {
            failed.count = failed.count.saturating_sub(1);
        }
        if failed.count == 0 {
            failures.remove(&self.network);
        }
    }
}

/// Removes the networks whose window is over, or else the network with the fewest failures. That
/// way a flood of new networks does not remove the blocked ones.
fn make_room(failures: &mut HashMap<Network, Failures>, now: Instant) {
    failures.retain(|_, failed| now < failed.ends_at());
    if failures.len() >= MAX_NETWORKS {
        let least = failures.iter().min_by_key(|(_, failed)| failed.count);
        if let Some(network) = least.map(|(network, _)| *network) {
            failures.remove(&network);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn network(text: &str) -> Network {
        Network::containing(text.parse().expect("an address"))
    }

    fn fail(throttle: &SignInThrottle, network: Network, now: Instant) {
        throttle.reserve(network, now).expect("not blocked").fail();
    }

    #[test]
    fn a_network_is_blocked_at_the_limit_for_15_minutes() {
        let throttle = SignInThrottle::new(3);
        let (here, there) = (network("192.0.2.1"), network("198.51.100.1"));
        let start = Instant::now();
        for second in 0..3 {
            fail(&throttle, here, start + Duration::from_secs(second));
        }
        let now = start + Duration::from_secs(60);
        let retry_after = throttle.reserve(here, now).expect_err("blocked");
        assert_eq!(retry_after, Duration::from_secs(14 * 60));
        assert!(throttle.reserve(there, now).is_ok());
        assert!(throttle.reserve(here, start + WINDOW).is_ok());
    }

    #[test]
    fn attempts_at_the_same_time_stay_within_the_limit() {
        let throttle = SignInThrottle::new(2);
        let here = network("192.0.2.1");
        let now = Instant::now();
        let first = throttle.reserve(here, now).expect("the first");
        let second = throttle.reserve(here, now).expect("the second");
        assert!(throttle.reserve(here, now).is_err());
        drop(first);
        fail(&throttle, here, now);
        assert!(throttle.reserve(here, now).is_err());
        drop(second);
        assert!(throttle.reserve(here, now).is_ok());
    }

    #[test]
    fn an_attempt_of_an_earlier_window_neither_counts_nor_is_taken_back() {
        let throttle = SignInThrottle::new(1);
        let here = network("192.0.2.1");
        let start = Instant::now();
        let earlier = throttle.reserve(here, start).expect("the first");
        fail(&throttle, here, start + WINDOW);
        drop(earlier);
        assert!(throttle.reserve(here, start + WINDOW).is_err());
    }

    #[test]
    fn a_limit_of_0_blocks_no_network() {
        let throttle = SignInThrottle::new(0);
        let here = network("192.0.2.1");
        let now = Instant::now();
        fail(&throttle, here, now);
        assert!(throttle.reserve(here, now).is_ok());
        assert!(throttle.lock().is_empty());
    }

    #[test]
    fn a_flood_of_networks_neither_grows_the_table_nor_unblocks_a_network() {
        let throttle = SignInThrottle::new(2);
        let blocked = network("192.0.2.1");
        let now = Instant::now();
        fail(&throttle, blocked, now);
        fail(&throttle, blocked, now);
        for n in 0..u32::try_from(MAX_NETWORKS).expect("fits") + 100 {
            let flood = Network::containing(Ipv4Addr::from_bits(0x0a00_0000 + (n << 8)).into());
            fail(&throttle, flood, now);
        }
        assert!(throttle.reserve(blocked, now).is_err());
        assert_eq!(throttle.lock().len(), MAX_NETWORKS);
    }
}
