//! The limit of new accounts per network.

use std::time::Duration;

use server::{Network, RateLimit};
use tokio::time::Instant;

const PERIOD: Duration = Duration::from_secs(60 * 60);

/// Limits how many accounts a network creates. Each process counts for itself.
#[derive(Debug)]
pub struct SignUpLimit(RateLimit<Network>);

/// A sign-up that counts. It is given back when it is dropped, unless it created an account.
#[derive(Debug)]
pub(crate) struct CountedSignUp<'a> {
    limit: &'a SignUpLimit,
    network: Network,
    is_kept: bool,
}

impl SignUpLimit {
    /// Allows a network this many accounts at once, and this many per hour on average; 0 = no
    /// limit.
    #[must_use]
    pub fn new(per_hour: u32) -> Self {
        Self(RateLimit::new(per_hour, PERIOD))
    }

    /// Counts a sign-up before the account is created, so that sign-ups at the same time stay within
    /// the limit. Returns the time until the next one if there were too many.
    pub(crate) fn reserve(
        &self,
        network: Network,
        now: Instant,
    ) -> Result<CountedSignUp<'_>, Duration> {
        self.0.take(&network, now)?;
        Ok(CountedSignUp {
            limit: self,
            network,
            is_kept: false,
        })
    }
}

impl CountedSignUp<'_> {
    /// Counts the sign-up for good: it created an account.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for CountedSignUp<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.limit.0.give_back(&self.network);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_up_counts_from_its_begin_and_only_if_it_creates_an_account() {
        let limit = SignUpLimit::new(2);
        let (here, there) = ([192, 0, 2, 1], [198, 51, 100, 1]);
        let [here, there] = [here, there].map(|address| Network::containing(address.into()));
        let now = Instant::now();
        limit.reserve(here, now).expect("the first").keep();
        let second = limit.reserve(here, now).expect("the second");
        let wait = limit.reserve(here, now).expect_err("too many");
        assert_eq!(wait, PERIOD / 2);
        limit.reserve(there, now).expect("another network").keep();
        drop(second);
        limit.reserve(here, now).expect("the second").keep();
        assert!(limit.reserve(here, now).is_err());
    }
}
