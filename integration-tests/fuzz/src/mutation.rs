//! Makes nearly valid input from valid input.

use testkit::Random;

/// Changes a few bytes, whatever they mean.
pub fn change_bytes(random: &mut Random, bytes: &mut Vec<u8>) {
    /// Varints of protobuf: 0, 128, the largest of 32 and of 64 bits, one that is too long, and a
    /// length of 2 GiB.
    const VARINTS: [&[u8]; 6] = [
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
                let copy = bytes[at..to].to_vec();
                bytes.splice(at..at, copy);
            }
            3 => drop(bytes.splice(at..at, random.pick(&VARINTS).to_vec())),
            4 => bytes.insert(at, random.byte()),
            _ if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ => {}
        }
    }
}

/// A text that a client may send instead of a valid one.
#[must_use]
pub fn text(random: &mut Random) -> String {
    #[rustfmt::skip]
    const TEXTS: [&str; 34] = [
        "", " ", "\t", "a", "ab", "abc", "ABC", "a_b", "a\nb", "a\r\n\tb", "\0", "\u{7f}", "\u{85}",
        "\u{a0}", "\u{200b}", "\u{feff}", "é", "e\u{301}", "🏆", "CH", "ch", "XX", "ada@example.org",
        "ada@localhost", "0190b2a45b1c4f7e9d3a2f6c8e1b7a90", "{0190b2a4-5b1c-4f7e-9d3a-2f6c8e1b7a}",
        "password", "correct horse", "\u{202e}", "\u{2028}", "\u{2800}", "b@bu\u{308}cher.example",
        "h@127.0.0.1", "\u{ff41}@\u{ff41}\u{3002}example",
    ];
    /// The length limits of all texts, and one more.
    const LENGTHS: [usize; 20] = [
        2, 3, 7, 8, 64, 65, 80, 81, 120, 121, 128, 129, 240, 241, 254, 255, 500, 501, 5000, 5001,
    ];
    match random.below(4) {
        0 => {
            let character = random.pick(&["x", "-", "é", "🏆", " "]);
            character.repeat(*random.pick(&LENGTHS))
        }
        1 => format!("{}{}", random.pick(&TEXTS), random.pick(&TEXTS)),
        _ => (*random.pick(&TEXTS)).to_owned(),
    }
}

/// A number that a client may send instead of a valid one.
#[must_use]
pub fn number(random: &mut Random) -> i64 {
    #[rustfmt::skip]
    const NUMBERS: [i64; 26] = [
        i64::MIN, -62_135_596_800, -1, 0, 1, 2, 3, 4, 5, 12, 13, 28, 29, 30, 31, 32, 1899, 1900,
        9999, 999_999_999, 1_000_000, 1_000_001, 1_000_000_000, 253_402_300_799, 253_402_300_800,
        i64::MAX,
    ];
    *random.pick(&NUMBERS)
}
