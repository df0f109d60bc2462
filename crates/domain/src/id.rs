//! Identifiers. Each is parsed once, where a request enters the server.

use std::fmt;

use data_encoding::BASE32_DNSSEC;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// The text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 3 to 64 characters of a-z, 0-9 and -")]
pub struct NotAnId;

/// Random bytes in an id that a server makes: 80 bits. By the birthday bound a collision is
/// unlikely below 2^40 ids. If one happens it is detected, because a record is only created if
/// absent.
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

        checked_text!($name, NotAnId, check_id);
        display_text!($name);

        impl $name {
            /// Makes an id of 16 characters from random or derived bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; MADE_ID_BYTES]) -> Self {
                Self(BASE32_DNSSEC.encode(&bytes))
            }
        }
    };
}

id! {
    /// Identifies a competition. Chosen by the organiser or made by the server: 3 to 64 characters
    /// of
    /// `a-z`, `0-9` and `-`.
    CompetitionId
}
id! {
    /// Identifies a user, in the form of a [`CompetitionId`].
    UserId
}
id! {
    /// Identifies an admin, in the form of a [`CompetitionId`].
    AdminId
}

/// Identifies one intention of a client. All retries of a call carry the same request id, so that
/// the call takes effect once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(Uuid);

/// The text is not a request id.
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

    /// Makes a random id for a call without one. Retries of such a call cannot be recognised.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

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

/// The number of a change within one competition. The first change has the number 1.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(u64);

impl Revision {
    /// Makes the revision with this number; 0 means that nothing has happened yet.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

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

/// Identifies one version of a record. Opaque to clients. An etag that no record ever had is
/// treated as an outdated one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    /// Makes the etag of a version.
    #[must_use]
    pub fn of_version(version: u64) -> Self {
        Self(format!("v{version}"))
    }

    /// Takes the etag of a request; empty means absent.
    #[must_use]
    pub fn from_client(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }

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
    fn a_made_id_is_valid() {
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
