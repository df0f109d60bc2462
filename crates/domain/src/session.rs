//! The session token, which authenticates a signed-in person.
//!
//! Its form is `stl_u_<id>_<52 characters of secret><7 characters of checksum>`. Secret scanners
//! find a leaked token by the prefix. The id names the account whose sessions are searched. The
//! checksum rejects a mistyped token without a call to Redis. Redis stores only the SHA-256 of the
//! token.

use std::fmt;

use data_encoding::BASE32_DNSSEC;
use sha2::{Digest, Sha256};

use crate::id::{AdminId, UserId};

/// The service that accepts a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Realm {
    User,
    Admin,
    /// The one-time bootstrap of admin-service: creates the first owner and allows nothing else.
    Bootstrap,
}

impl Realm {
    fn letter(self) -> &'static str {
        match self {
            Self::User => "u",
            Self::Admin => "a",
            Self::Bootstrap => "b",
        }
    }

    fn of_letter(letter: &str) -> Option<Self> {
        [Self::User, Self::Admin, Self::Bootstrap]
            .into_iter()
            .find(|realm| realm.letter() == letter)
    }
}

/// The secret half of a session: 256 bits.
pub type TokenSecret = [u8; 32];

/// A well-formed token. Whether it belongs to an open session is decided by the store.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken {
    realm: Realm,
    text: String,
    subject_end: usize,
}

const PREFIX: &str = "stl_";
/// Takes the place of the id in a bootstrap token.
const BOOTSTRAP_SUBJECT: &str = "boot";
/// The length of `stl_u_`.
const SUBJECT_START: usize = PREFIX.len() + 2;

impl SessionToken {
    /// Makes the token of a user's session.
    #[must_use]
    pub fn of_user(id: &UserId, secret: &TokenSecret) -> Self {
        Self::write(Realm::User, id.as_str(), secret)
    }

    /// Makes the token of an admin's session.
    #[must_use]
    pub fn of_admin(id: &AdminId, secret: &TokenSecret) -> Self {
        Self::write(Realm::Admin, id.as_str(), secret)
    }

    /// Makes the token that creates the first owner.
    #[must_use]
    pub fn of_bootstrap(secret: &TokenSecret) -> Self {
        Self::write(Realm::Bootstrap, BOOTSTRAP_SUBJECT, secret)
    }

    fn write(realm: Realm, subject: &str, secret: &TokenSecret) -> Self {
        let mut text = format!("{PREFIX}{}_{subject}_", realm.letter());
        let subject_end = text.len() - 1;
        BASE32_DNSSEC.encode_append(secret, &mut text);
        text.push_str(&checksum(&text));
        Self {
            realm,
            text,
            subject_end,
        }
    }

    /// Accepts exactly the texts that [`SessionToken::expose`] returns.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(PREFIX)?.split('_');
        let (letter, subject, secret) = (parts.next()?, parts.next()?, parts.next()?);
        let realm = Realm::of_letter(letter)?;
        UserId::parse(subject).ok()?;
        if realm == Realm::Bootstrap && subject != BOOTSTRAP_SUBJECT {
            return None;
        }
        let secret = secret.get(..SECRET_LENGTH)?.as_bytes();
        let secret: TokenSecret = BASE32_DNSSEC.decode(secret).ok()?.try_into().ok()?;
        // Comparing with the text that we would write checks everything else at once: the
        // checksum, lower case, and no trailing characters.
        let token = Self::write(realm, subject, &secret);
        (token.text == text).then_some(token)
    }

    #[must_use]
    pub fn realm(&self) -> Realm {
        self.realm
    }

    /// Returns the id of the account that the token claims to belong to.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.text[SUBJECT_START..self.subject_end]
    }

    /// Returns the hash under which the session is stored.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(&self.text).into())
    }

    /// Returns the token itself, for the response to the person who signed in only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

/// Characters of 256 bits in base 32.
const SECRET_LENGTH: usize = 52;

/// Encodes a CRC-32 in base 32: 7 characters.
fn checksum(text: &str) -> String {
    BASE32_DNSSEC.encode(&crc32fast::hash(text.as_bytes()).to_be_bytes())
}

/// Hides the secret, so that it cannot reach a log by accident.
impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionToken({:?}, ..)", self.realm)
    }
}

/// The SHA-256 of a session token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

/// Formats in base 32, as Redis stores it.
impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE32_DNSSEC.encode(&self.0))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> SessionToken {
        let id = UserId::parse("ada-1815").expect("an id");
        SessionToken::of_user(&id, &[7; 32])
    }

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let read = SessionToken::parse(token().expose()).expect("a token");
        assert_eq!(read, token());
        assert_eq!((read.realm(), read.subject()), (Realm::User, "ada-1815"));
    }

    #[test]
    fn one_wrong_character_is_detected() {
        let text = token().expose().to_owned();
        for n in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[n] = if damaged[n] == b'0' { b'1' } else { b'0' };
            let damaged = String::from_utf8(damaged).expect("still ASCII");
            assert!(SessionToken::parse(&damaged).is_none(), "{damaged}");
        }
    }

    #[test]
    fn a_malformed_secret_with_a_correct_checksum_is_refused() {
        let token = token();
        let (_, secret) = token.expose().rsplit_once('_').expect("a secret");
        for bad in [
            &secret[..SECRET_LENGTH].to_uppercase(),
            &"x".repeat(SECRET_LENGTH),
        ] {
            let body = format!("stl_u_ada-1815_{bad}");
            let sum = checksum(&body);
            assert!(SessionToken::parse(&(body + &sum)).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_token_is_refused() {
        for bad in [
            "",
            "stl_",
            "stl_u__",
            "stl_u_abc_é",
            "stl_x_abc_def",
            "Bearer",
        ] {
            assert!(SessionToken::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        assert_eq!(format!("{:?}", token()), "SessionToken(User, ..)");
    }
}
