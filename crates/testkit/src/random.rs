//! Random numbers that a seed repeats.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

/// A source of random numbers: equal seeds give equal numbers. Not for secrets. If a test fails
/// while it owns a source, the seed is printed.
///
/// The algorithm is `SplitMix64` (Steele, Lea, Flood 2014) and not that of a library, because a
/// seed that once found a fault must find it again after every update of the dependencies.
#[derive(Debug, Clone)]
pub struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    /// Starts with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    /// Starts with the seed in this environment variable, or else with the current time in
    /// milliseconds.
    #[must_use]
    pub fn from_environment(variable: &str) -> Self {
        let given = std::env::var(variable).ok();
        let seed = given.map_or_else(current_millis, |seed| seed.parse().expect("a number"));
        Self::new(seed)
    }

    /// The seed with which this source repeats its numbers.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Makes a second source from the next number of this one, for a task that runs concurrently.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        let state = self.number();
        Self { state, ..*self }
    }

    /// The next 64 random bits.
    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    pub fn byte(&mut self) -> u8 {
        self.number().to_be_bytes()[0]
    }

    /// A number below `count`; 0 if `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.number() % (count.max(1) as u64)).expect("less than a usize")
    }

    /// A number in this range. Panics if the range is empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.number() % (range.end - range.start)
    }

    /// One of the items. Panics if there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// True once in `count` cases, on average.
    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// True in so many of 100 cases, on average.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.within(0..100) < percent
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed of the random numbers was {}", self.seed);
        }
    }
}

fn current_millis() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("a clock after 1970").as_millis();
    u64::try_from(now).expect("a clock before the year 500 million")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_the_published_numbers() {
        let mut random = Random::new(1_234_567);
        let numbers = [(); 3].map(|()| random.number());
        // The reference output of the authors' implementation for this seed.
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }
}
