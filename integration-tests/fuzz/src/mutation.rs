//! Bad input from good.

/// Numbers that a seed repeats: `SplitMix64` (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below this one, which is not 0.
    pub fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.number() % (count as u64)).unwrap_or_default()
    }

    /// One of these, of which there is at least one.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// True in one of so many cases.
    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn byte(&mut self) -> u8 {
        self.number().to_be_bytes()[0]
    }
}

/// Changes some bytes, whatever they mean.
pub fn bytes(random: &mut Random, bytes: &mut Vec<u8>) {
    /// Lengths and numbers as protobuf writes them: 0, 128, the largest 32 and 64 bits, and one too long.
    const ODD: [&[u8]; 6] = [
        b"\x00",
        b"\x80\x01",
        b"\xff\xff\xff\xff\x0f",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x0a\xff\xff\xff\x7f",
    ];
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len() + 1);
        let to = at + random.below(bytes.len() - at + 1);
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let again = bytes[at..to].to_vec();
                bytes.splice(at..at, again);
            }
            3 => drop(bytes.splice(at..at, random.pick(&ODD).to_vec())),
            4 => bytes.insert(at, random.byte()),
            _ if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ => {}
        }
    }
}

/// A text that somebody may send where another is expected.
#[must_use]
pub fn text(random: &mut Random) -> String {
    const ODD: [&str; 28] = [
        "",
        " ",
        "\t",
        "a",
        "ab",
        "abc",
        "ABC",
        "a_b",
        "a\nb",
        "a\r\n\tb",
        "\0",
        "\u{7f}",
        "\u{85}",
        "\u{a0}",
        "\u{200b}",
        "\u{feff}",
        "é",
        "e\u{301}",
        "🏆",
        "CH",
        "ch",
        "XX",
        "ada@example.org",
        "ada@localhost",
        "0190b2a45b1c4f7e9d3a2f6c8e1b7a90",
        "{0190b2a4-5b1c-4f7e-9d3a-2f6c8e1b7a}",
        "password",
        "correct horse",
    ];
    /// The limits of all texts, and one more.
    const LENGTHS: [usize; 20] = [
        2, 3, 7, 8, 64, 65, 80, 81, 120, 121, 128, 129, 240, 241, 254, 255, 500, 501, 5000, 5001,
    ];
    match random.below(4) {
        0 => random
            .pick(&["x", "-", "é", "🏆", " "])
            .repeat(random.pick(&LENGTHS)),
        1 => format!("{}{}", random.pick(&ODD), random.pick(&ODD)),
        _ => random.pick(&ODD).to_owned(),
    }
}

/// A number that somebody may send where another is expected.
#[must_use]
pub fn number(random: &mut Random) -> i64 {
    const ODD: [i64; 26] = [
        i64::MIN,
        -62_135_596_800,
        -1,
        0,
        1,
        2,
        3,
        4,
        5,
        12,
        13,
        28,
        29,
        30,
        31,
        32,
        1899,
        1900,
        9999,
        999_999_999,
        1_000_000,
        1_000_001,
        1_000_000_000,
        253_402_300_799,
        253_402_300_800,
        i64::MAX,
    ];
    random.pick(&ODD)
}
