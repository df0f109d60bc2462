//! Session tokens, as clients send them back.
//!
//! What must hold: an accepted token is what a server writes for its realm, its id and its secret, to the
//! letter; a token that was changed anywhere is refused; none is shown.

use domain::{AdminId, Realm, SessionToken, UserId};

use crate::mutation::{self, Random};

/// Realm, underscores and prefix, 64 characters of id, 59 of secret and checksum.
const MOST_CHARACTERS: usize = 6 + 64 + 1 + 59;

fn write(realm: Realm, id: &str, secret: &[u8; 32]) -> Option<SessionToken> {
    Some(match realm {
        Realm::User => SessionToken::of_user(&UserId::parse(id).ok()?, secret),
        Realm::Admin => SessionToken::of_admin(&AdminId::parse(id).ok()?, secret),
        Realm::Bootstrap => SessionToken::of_bootstrap(secret),
    })
}

/// The target: the bytes are a token, and they are an id and a secret.
pub fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        check_text(text);
    }
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let mut secret = [first; 32];
    for (byte, given) in secret.iter_mut().zip(rest) {
        *byte = *given;
    }
    let realm = [Realm::User, Realm::Admin, Realm::Bootstrap][usize::from(first) % 3];
    let token = write(realm, "ada-1815", &secret).expect("a good id");
    assert_eq!(SessionToken::parse(token.expose()).as_ref(), Some(&token));
    let at = usize::from(*data.last().unwrap_or(&0)) % token.expose().len();
    let mut forged = token.expose().as_bytes().to_vec();
    forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
    let forged = String::from_utf8(forged).expect("ASCII");
    assert!(
        SessionToken::parse(&forged).is_none(),
        "{forged} is no token"
    );
    // With a letter that no secret has, and the checksum that belongs to it.
    check_text(&with_checksum(
        &token.expose()[..token.expose().len() - 8],
        char::from(b'a' + first % 26),
    ));
}

fn check_text(text: &str) {
    let Some(token) = SessionToken::parse(text) else {
        return;
    };
    assert_eq!(token.expose(), text);
    assert!(text.len() <= MOST_CHARACTERS, "{text} is too long");
    assert!(UserId::parse(token.subject()).is_ok(), "{text} has no id");
    assert!(
        !format!("{token:?}").contains(token.subject()),
        "a token is shown"
    );
    let secret = &text[text.len() - 59..text.len() - 7];
    let secret =
        secret_of(secret).unwrap_or_else(|| panic!("{text} has a secret that nobody writes"));
    let written = write(token.realm(), token.subject(), &secret).expect("a good id");
    assert_eq!(written.expose(), text, "two tokens for one session");
}

/// Base 32 of RFC 4648's second alphabet, in small letters, written down once more.
fn secret_of(text: &str) -> Option<[u8; 32]> {
    let mut bits = Vec::new();
    for c in text.chars() {
        let digit = c.to_digit(32).filter(|_| !c.is_ascii_uppercase())?;
        bits.extend((0..5).rev().map(|n| digit >> n & 1));
    }
    let (secret, rest) = bits.split_at_checked(256)?;
    let byte = |bits: &[u32]| bits.iter().fold(0_u32, |byte, bit| byte << 1 | bit);
    let bytes: Vec<_> = secret
        .chunks(8)
        .filter_map(|bits| u8::try_from(byte(bits)).ok())
        .collect();
    (rest.len() == 4 && rest.iter().all(|bit| *bit == 0)).then(|| bytes.try_into().ok())?
}

/// A token that ends with this letter, and the checksum that makes it look good.
fn with_checksum(begin: &str, letter: char) -> String {
    let body = format!("{begin}{letter}");
    let sum = crc32(body.as_bytes());
    let digit = |n: u32| {
        char::from_digit(
            u32::try_from((u64::from(sum) << 3) >> (30 - 5 * n) & 31).unwrap_or(0),
            32,
        )
    };
    let checksum: String = (0..7).filter_map(digit).collect();
    body + &checksum
}

/// CRC-32 of ISO 3309, written down once more.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| {
        if sum & 1 == 1 {
            sum >> 1 ^ 0xedb8_8320
        } else {
            sum >> 1
        }
    };
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), step)
    })
}

/// A good token, or nearly.
pub fn make(random: &mut Random) -> Vec<u8> {
    let secret = std::array::from_fn(|_| random.number().to_be_bytes()[0]);
    let realm = random.pick(&[Realm::User, Realm::Admin, Realm::Bootstrap]);
    let id = random
        .pick(&["ada", "ada-1815", &"x".repeat(64)])
        .to_owned();
    let token = write(realm, &id, &secret).expect("a good id");
    let mut bytes = token.expose().as_bytes().to_vec();
    match random.below(3) {
        0 => {}
        1 => mutation::bytes(random, &mut bytes),
        // Something else with a good checksum.
        _ => {
            bytes.truncate(bytes.len() - 8);
            mutation::bytes(random, &mut bytes);
            let begin = String::from_utf8_lossy(&bytes).into_owned();
            bytes =
                with_checksum(&begin, random.pick(&['0', 'g', '1', 'w', 'G', '_'])).into_bytes();
        }
    }
    bytes
}
