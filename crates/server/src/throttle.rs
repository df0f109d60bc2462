//! The limit of failed sign-ins per network.
//!
//! The store limits failures per account. This limit slows down a client that tries many accounts.
//! It is in the memory of one process, so a restart resets it.
//!
//! The `governor` crate does not fit: it limits how often something happens, while here only
//! failures count, a network is blocked for a fixed window, and the table has a maximum size.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::Rejection;
use tokio::time::Instant;

use crate::errors::Failure;

/// How long the failures of a network count, from the first one.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// The most networks in the table, of some 40 bytes each: less than 2 MB.
const MAX_NETWORKS: usize = 16_384;

/// The network of a client: an IPv4 /24 or an IPv6 /64, the size that one household or host gets.
/// All clients behind a proxy share the proxy's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// Returns the network of the client. Calls that did not come over TCP share one.
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        let address = request.remote_addr().map(|address| address.ip());
        Self::containing(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }

    #[must_use]
    pub fn containing(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & (u32::MAX << 8)).into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        })
    }
}

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

    /// Fails with `TOO_MANY_SIGN_INS`, and the time until the next attempt, if the network is
    /// blocked. Call this before hashing the password, which is the expensive part.
    pub fn check(&self, network: Network, now: Instant) -> Result<(), Failure> {
        if self.limit == 0 {
            return Ok(());
        }
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match failures.get(&network) {
            Some(failed) if failed.count >= self.limit && now < failed.ends_at() => {
                Err(Failure::from(Rejection::TooManySignIns {
                    retry_after: failed.ends_at() - now,
                }))
            }
            _ => Ok(()),
        }
    }

    /// Counts a failed sign-in.
    pub fn count_failure(&self, network: Network, now: Instant) {
        if self.limit == 0 {
            return;
        }
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
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
        failed.count = failed.count.saturating_add(1);
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
    use super::*;

    fn network(text: &str) -> Network {
        Network::containing(text.parse().expect("an address"))
    }

    #[test]
    fn addresses_in_a_24_or_a_64_share_a_network() {
        assert_eq!(network("192.0.2.1"), network("192.0.2.254"));
        assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.1"));
    }

    #[test]
    fn a_network_is_blocked_at_the_limit_for_15_minutes() {
        let throttle = SignInThrottle::new(3);
        let (here, there) = (network("192.0.2.1"), network("198.51.100.1"));
        let start = Instant::now();
        for second in 0..3 {
            let now = start + Duration::from_secs(second);
            assert!(throttle.check(here, now).is_ok());
            throttle.count_failure(here, now);
        }
        let now = start + Duration::from_secs(60);
        let Err(Failure::Rejected(rejected)) = throttle.check(here, now) else {
            panic!("the network is at its limit");
        };
        let retry_after = Duration::from_secs(14 * 60);
        assert_eq!(
            rejected.rejection,
            Rejection::TooManySignIns { retry_after }
        );
        assert!(throttle.check(there, now).is_ok());
        assert!(throttle.check(here, start + WINDOW).is_ok());
    }

    #[test]
    fn failures_of_an_earlier_window_do_not_count() {
        let throttle = SignInThrottle::new(2);
        let here = network("192.0.2.1");
        let start = Instant::now();
        throttle.count_failure(here, start);
        throttle.count_failure(here, start + WINDOW);
        assert!(throttle.check(here, start + WINDOW).is_ok());
    }

    #[test]
    fn a_limit_of_0_blocks_no_network() {
        let throttle = SignInThrottle::new(0);
        let here = network("192.0.2.1");
        let now = Instant::now();
        throttle.count_failure(here, now);
        assert!(throttle.check(here, now).is_ok());
        assert!(throttle.failures.lock().expect("unpoisoned").is_empty());
    }

    #[test]
    fn a_flood_of_networks_neither_grows_the_table_nor_unblocks_a_network() {
        let throttle = SignInThrottle::new(2);
        let blocked = network("192.0.2.1");
        let now = Instant::now();
        throttle.count_failure(blocked, now);
        throttle.count_failure(blocked, now);
        for n in 0..u32::try_from(MAX_NETWORKS).expect("fits") + 100 {
            let flood = Network::containing(Ipv4Addr::from_bits(0x0a00_0000 + (n << 8)).into());
            throttle.count_failure(flood, now);
        }
        assert!(throttle.check(blocked, now).is_err());
        assert_eq!(
            throttle.failures.lock().expect("unpoisoned").len(),
            MAX_NETWORKS
        );
    }
}
