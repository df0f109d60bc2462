//! The names of things. Each is parsed once, at the door.

use std::fmt;

use data_encoding::BASE32_DNSSEC;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// Why a text is not an id. The sentence names the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 3 to 64 characters of a-z, 0-9 and -")]
pub struct NotAnId;

/// Bytes of randomness in an id that a server makes: 80 bits, so that a collision is not to be
/// expected below 2^40 ids, and is noticed when it happens, since making is always "if absent".
pub const MADE_ID_BYTES: usize = 10;

fn check_id(text: &str) -> Result<(), NotAnId> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (3..=64).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(())
    } else {
        Err(NotAnId)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Accepts 3 to 64 characters of `a-z`, `0-9` and `-`.
            pub fn parse(text: impl Into<String>) -> Result<Self, NotAnId> {
                let text = text.into();
                check_id(&text)?;
                Ok(Self(text))
            }

            /// An id of 16 characters made from random (or derived) bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; MADE_ID_BYTES]) -> Self {
                Self(BASE32_DNSSEC.encode(&bytes))
            }

            /// The id as it is written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

id! {
    /// Names a competition: chosen by the organiser as a slug, or made by the server.
    CompetitionId
}
id! {
    /// Names a person who enters competitions.
    UserId
}
id! {
    /// Names a person who runs competitions.
    AdminId
}

/// Names one intention of a client, so that a repeated call has one effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(Uuid);

/// Why a text is not a request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a UUID such as 0190b2a4-5b1c-4f7e-9d3a-2f6c8e1b7a90")]
pub struct NotARequestId;

impl RequestId {
    /// Accepts a UUID of any version, hyphenated, in either case.
    pub fn parse(text: &str) -> Result<Self, NotARequestId> {
        const HYPHENATED: usize = 36;
        match Uuid::try_parse(text) {
            Ok(uuid) if text.len() == HYPHENATED => Ok(Self(uuid)),
            _ => Err(NotARequestId),
        }
    }

    /// A fresh one, for a client that named none: then a repetition cannot be recognised.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The 128 bits.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// The number of a change within one competition. The first change has number 1.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(u64);

impl Revision {
    /// The revision with this number; 0 is the revision of a competition that was never changed.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names one version of a record. Opaque to clients: an etag that no record ever had is an old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    /// The etag of a record whose content was last changed by the change with this number.
    #[must_use]
    pub fn of_version(version: u64) -> Self {
        Self(format!("v{version}"))
    }

    /// What a client sent; empty means that it named none.
    #[must_use]
    pub fn from_client(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }

    /// The etag as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_3_to_64_lowercase_letters_digits_and_hyphens() {
        for good in ["abc", "spring-cup-2027", &"a".repeat(64)] {
            assert!(CompetitionId::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ab",
            "Abc",
            "a b",
            "a_b",
            "é23",
            "a{b}",
            &"a".repeat(65),
        ] {
            assert!(CompetitionId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_made_id_is_an_id() {
        let id = UserId::from_bytes([255; MADE_ID_BYTES]);
        assert_eq!(UserId::parse(id.as_str()), Ok(id));
    }

    #[test]
    fn a_request_id_is_a_hyphenated_uuid_and_case_does_not_matter() {
        let lower = RequestId::parse("0190b2a4-5b1c-4f7e-9d3a-2f6c8e1b7a90");
        assert_eq!(
            lower,
            RequestId::parse("0190B2A4-5B1C-4F7E-9D3A-2F6C8E1B7A90")
        );
        assert!(lower.is_ok());
        for bad in ["", "1", "0190b2a45b1c4f7e9d3a2f6c8e1b7a90"] {
            assert!(RequestId::parse(bad).is_err(), "{bad}");
        }
    }
}
