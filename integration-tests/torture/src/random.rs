//! Numbers that a seed repeats: `SplitMix64` (Steele, Lea, Flood 2014). No secrets are made of them.

use std::ops::Range;

/// A source of numbers. Equal seeds give equal numbers.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Begins with a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A source of its own, for something that runs beside.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(self.next_number())
    }

    /// The next 64 bits.
    pub fn next_number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number of this range, which is not empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next_number() % (range.end - range.start)
    }

    /// One of these, of which there is at least one.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let count = items.len() as u64;
        let index = usize::try_from(self.within(0..count)).unwrap_or_default();
        &items[index]
    }

    /// True in so many of 100 cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.within(0..100) < percent
    }
}
