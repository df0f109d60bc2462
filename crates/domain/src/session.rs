//! The token that stands for a signed-in person.
//!
//! `stl_u_<id>_<52 characters of secret><7 characters of checksum>`: the prefix lets secret
//! scanners find a leaked token, the id tells where the session is kept, the checksum turns a typing
//! error away without asking Redis. Only the SHA-256 of the whole token is ever stored.

use std::fmt;

use data_encoding::BASE32_DNSSEC;
use sha2::{Digest, Sha256};

use crate::id::{AdminId, UserId};

/// For which service a token is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Realm {
    /// user-service.
    User,
    /// admin-service.
    Admin,
    /// The one-time start of admin-service: good for making the first owner, and for nothing else.
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

/// A token that is well-formed. Whether it is good is for the store to say.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken {
    realm: Realm,
    text: String,
    subject_end: usize,
}

const PREFIX: &str = "stl_";
/// In the place of an id: nobody is signed in yet.
const BOOTSTRAP_SUBJECT: &str = "boot";
/// `stl_u_`
const SUBJECT_START: usize = PREFIX.len() + 2;

impl SessionToken {
    /// The token of a user's session.
    #[must_use]
    pub fn of_user(id: &UserId, secret: &TokenSecret) -> Self {
        Self::write(Realm::User, id.as_str(), secret)
    }

    /// The token of an admin's session.
    #[must_use]
    pub fn of_admin(id: &AdminId, secret: &TokenSecret) -> Self {
        Self::write(Realm::Admin, id.as_str(), secret)
    }

    /// The token that makes the first owner.
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

    /// Accepts what [`SessionToken::expose`] wrote, to the letter.
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
        // Checksum, small letters, and nothing behind: all of it is so if it is what we would write.
        let token = Self::write(realm, subject, &secret);
        (token.text == text).then_some(token)
    }

    /// For which service it is good.
    #[must_use]
    pub fn realm(&self) -> Realm {
        self.realm
    }

    /// The id of the person that the token claims to stand for.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.text[SUBJECT_START..self.subject_end]
    }

    /// Under what the session is stored.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(&self.text).into())
    }

    /// The token itself: for the answer to the person who signed in, and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

/// 256 bits in base 32.
const SECRET_LENGTH: usize = 52;

/// 32 bits in base 32: 7 characters.
fn checksum(text: &str) -> String {
    BASE32_DNSSEC.encode(&crc32fast::hash(text.as_bytes()).to_be_bytes())
}

/// A secret: never shown in a log by accident.
impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionToken({:?}, ..)", self.realm)
    }
}

/// The SHA-256 of a session token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

/// In base 32, as it is stored.
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
    fn what_was_written_is_read() {
        let read = SessionToken::parse(token().expose()).expect("a token");
        assert_eq!(read, token());
        assert_eq!((read.realm(), read.subject()), (Realm::User, "ada-1815"));
    }

    #[test]
    fn one_wrong_character_is_noticed() {
        let text = token().expose().to_owned();
        for n in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[n] = if damaged[n] == b'0' { b'1' } else { b'0' };
            let damaged = String::from_utf8(damaged).expect("still ASCII");
            assert!(SessionToken::parse(&damaged).is_none(), "{damaged}");
        }
    }

    #[test]
    fn a_good_checksum_does_not_make_a_token_of_a_secret_that_is_none() {
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
    fn what_is_not_a_token_is_refused() {
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
