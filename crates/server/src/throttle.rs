//! Failed sign-ins per network.
//!
//! The limit per account is the store's; this one slows down who tries many accounts from one place.
//! It is kept in memory, per process: a restart forgives.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::Rejection;
use tokio::time::Instant;

use crate::errors::Failure;

/// How long failures of a network count, from the first one.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// How many networks are remembered: 16,384 of some 40 bytes each, less than 2 MB with the table.
const MAX_NETWORKS: usize = 16_384;

/// The network that a client calls from: an IPv4 /24 or an IPv6 /64, what one household or one host
/// has for itself. Behind a proxy all clients share the proxy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network of the client at the other end of the connection. Calls that came by no TCP
    /// connection share one.
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        let address = request.remote_addr().map(|address| address.ip());
        Self::containing(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }

    /// The network that this address is in.
    #[must_use]
    pub fn containing(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & (u32::MAX << 8)).into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        })
    }
}

/// Counts failed sign-ins per network and turns a network away that has too many.
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
    /// Turns a network away for the rest of its 15 minutes once it has this many failures; 0 = never.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        Self {
            limit,
            failures: Mutex::default(),
        }
    }

    /// Lets a try pass, or answers `TOO_MANY_SIGN_INS` and when the network may try again. Ask before
    /// the password is hashed: that is the dear part.
    pub fn admit(&self, network: Network, now: Instant) -> Result<(), Failure> {
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

    /// Counts a failed try.
    pub fn failed(&self, network: Network, now: Instant) {
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

/// Forgets the networks whose time is over. If there are none, forgets the one with the fewest
/// failures: whoever floods the table with fresh networks does not free the ones that are stopped.
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
    fn neighbours_in_a_24_or_a_64_share_a_network() {
        assert_eq!(network("192.0.2.1"), network("192.0.2.254"));
        assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.1"));
    }

    #[test]
    fn a_network_is_turned_away_at_the_limit_and_let_in_after_15_minutes() {
        let throttle = SignInThrottle::new(3);
        let (here, there) = (network("192.0.2.1"), network("198.51.100.1"));
        let start = Instant::now();
        for second in 0..3 {
            let now = start + Duration::from_secs(second);
            assert!(throttle.admit(here, now).is_ok());
            throttle.failed(here, now);
        }
        let now = start + Duration::from_secs(60);
        let Err(Failure::Rejected(rejected)) = throttle.admit(here, now) else {
            panic!("the network is at its limit");
        };
        let retry_after = Duration::from_secs(14 * 60);
        assert_eq!(
            rejected.rejection,
            Rejection::TooManySignIns { retry_after }
        );
        assert!(throttle.admit(there, now).is_ok());
        assert!(throttle.admit(here, start + WINDOW).is_ok());
    }

    #[test]
    fn failures_of_an_earlier_quarter_of_an_hour_do_not_count() {
        let throttle = SignInThrottle::new(2);
        let here = network("192.0.2.1");
        let start = Instant::now();
        throttle.failed(here, start);
        throttle.failed(here, start + WINDOW);
        assert!(throttle.admit(here, start + WINDOW).is_ok());
    }

    #[test]
    fn a_limit_of_0_turns_nobody_away() {
        let throttle = SignInThrottle::new(0);
        let here = network("192.0.2.1");
        let now = Instant::now();
        throttle.failed(here, now);
        assert!(throttle.admit(here, now).is_ok());
        assert!(throttle.failures.lock().expect("unpoisoned").is_empty());
    }

    #[test]
    fn a_flood_of_networks_neither_grows_the_table_nor_frees_who_is_stopped() {
        let throttle = SignInThrottle::new(2);
        let stopped = network("192.0.2.1");
        let now = Instant::now();
        throttle.failed(stopped, now);
        throttle.failed(stopped, now);
        for n in 0..u32::try_from(MAX_NETWORKS).expect("fits") + 100 {
            let flood = Network::containing(Ipv4Addr::from_bits(0x0a00_0000 + (n << 8)).into());
            throttle.failed(flood, now);
        }
        assert!(throttle.admit(stopped, now).is_err());
        assert_eq!(
            throttle.failures.lock().expect("unpoisoned").len(),
            MAX_NETWORKS
        );
    }
}
