//! Session tokens, as clients send them.
//!
//! An accepted token is exactly the one that a server writes for its realm, id and secret. A token
//! that was changed anywhere is rejected. No token appears in `Debug` output.

use domain::{AdminId, Realm, SessionToken, UserId};
use testkit::Random;

use crate::mutation;

const SECRET_AND_CHECKSUM: usize = 59;
/// The realm with its underscores, the longest id, and the secret.
const MAX_LENGTH: usize = 6 + 64 + 1 + SECRET_AND_CHECKSUM;

fn write(realm: Realm, id: &str, secret: &[u8; 32]) -> SessionToken {
    let user = || UserId::parse(id).expect("a valid id");
    match realm {
        Realm::User => SessionToken::of_user(&user(), secret),
        Realm::Admin => SessionToken::of_admin(&AdminId::parse(id).expect("a valid id"), secret),
        Realm::Bootstrap => SessionToken::of_bootstrap(secret),
    }
}

/// The target. The bytes are a token, and they make a valid token that is then changed.
pub fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        check_text(text);
    }
    let (Some(&first), Some(&last)) = (data.first(), data.last()) else {
        return;
    };
    let mut secret = [first; 32];
    let length = secret.len().min(data.len());
    secret[..length].copy_from_slice(&data[..length]);
    let realm = [Realm::User, Realm::Admin, Realm::Bootstrap][usize::from(first) % 3];
    let token = write(realm, "ada-1815", &secret);
    assert_eq!(SessionToken::parse(token.expose()).as_ref(), Some(&token));

    let mut changed = token.expose().as_bytes().to_vec();
    let at = usize::from(last) % changed.len();
    changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
    let changed = String::from_utf8(changed).expect("ASCII");
    assert!(
        SessionToken::parse(&changed).is_none(),
        "accepted: {changed}"
    );

    // Another last character of the secret, possibly an invalid one, with a correct checksum.
    let begin = &token.expose()[..token.expose().len() - 8];
    check_text(&with_checksum(begin, char::from(b'a' + first % 26)));
}

fn check_text(text: &str) {
    let Some(token) = SessionToken::parse(text) else {
        return;
    };
    assert_eq!(token.expose(), text);
    assert!(text.len() <= MAX_LENGTH, "too long: {text}");
    let debug = format!("{token:?}");
    assert!(!debug.contains(token.subject()), "in Debug output: {debug}");
    let secret = &text[text.len() - SECRET_AND_CHECKSUM..text.len() - 7];
    let secret = decode(secret).unwrap_or_else(|| panic!("an invalid secret: {text}"));
    let written = write(token.realm(), token.subject(), &secret);
    assert_eq!(written.expose(), text, "two tokens for one session");
}

/// An independent decoder of the secret: base 32 with the second alphabet of RFC 4648, in small
/// letters.
fn decode(text: &str) -> Option<[u8; 32]> {
    let mut bits = Vec::new();
    for c in text.chars() {
        let digit = c.to_digit(32).filter(|_| !c.is_ascii_uppercase())?;
        bits.extend((0..5).rev().map(|n| digit >> n & 1));
    }
    let (secret, padding) = bits.split_at_checked(256)?;
    let byte = |bits: &[u32]| bits.iter().fold(0_u32, |byte, bit| byte << 1 | bit);
    let bytes: Vec<_> = secret
        .chunks(8)
        .filter_map(|bits| u8::try_from(byte(bits)).ok())
        .collect();
    (padding == [0; 4]).then(|| bytes.try_into().ok())?
}

/// A token that ends with this character and a correct checksum.
fn with_checksum(begin: &str, last: char) -> String {
    let body = format!("{begin}{last}");
    let bits = u64::from(crc32(body.as_bytes())) << 3;
    let digits = (0..7).map(|n| u32::try_from(bits >> (30 - 5 * n) & 31).unwrap_or(0));
    let checksum: String = digits
        .filter_map(|digit| char::from_digit(digit, 32))
        .collect();
    body + &checksum
}

/// An independent CRC-32 of ISO 3309.
fn crc32(bytes: &[u8]) -> u32 {
    let shift = |sum: u32, _| sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 };
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), shift)
    })
}

/// Generates a valid or nearly valid token.
pub fn generate(random: &mut Random) -> Vec<u8> {
    let secret = std::array::from_fn(|_| random.byte());
    let realm = *random.pick(&[Realm::User, Realm::Admin, Realm::Bootstrap]);
    let longest = "x".repeat(64);
    let id = *random.pick(&["ada", "ada-1815", &longest]);
    let mut bytes = write(realm, id, &secret).expose().as_bytes().to_vec();
    match random.below(3) {
        0 => {}
        1 => mutation::change_bytes(random, &mut bytes),
        _ => {
            bytes.truncate(bytes.len() - 8);
            mutation::change_bytes(random, &mut bytes);
            let begin = String::from_utf8_lossy(&bytes);
            let last = *random.pick(&['0', 'g', '1', 'w', 'G', '_']);
            bytes = with_checksum(&begin, last).into_bytes();
        }
    }
    bytes
}
