//! The reason of a removal. The text is personal data, so it is stored where an erasure can delete
//! it: in the hash `reasons` of the user and the competition, by the revision of the removal, as
//!
//! ```text
//! <nonce in hex> <text>
//! ```
//!
//! The log keeps the SHA-256 of that record, `sha256:<hash in hex>`. The hash proves the text while
//! it exists. Without the nonce, which is erased with the text, a short text could be guessed from
//! its hash. Log entries from before 0.2.0 hold the text itself.

use data_encoding::HEXLOWER;
use domain::Reason;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::installation::random;

const PREFIX: &str = "sha256:";
const NONCE_BYTES: usize = 16;

/// The reason of a removal as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonRecord(String);

/// What the log keeps of a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonHash(String);

impl ReasonRecord {
    /// Makes the record of a reason with a new nonce.
    pub(crate) fn new(reason: &Reason) -> Result<Self> {
        let nonce = HEXLOWER.encode(&random()?[..NONCE_BYTES]);
        Ok(Self(format!("{nonce} {}", reason.as_str())))
    }

    /// Takes a record as it was read.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The reason.
    pub fn reason(&self) -> Result<Reason> {
        self.0
            .split_once(' ')
            .and_then(|(_, text)| Reason::try_from(text.to_owned()).ok())
            .ok_or_else(|| Error::unreadable("the reason of a removal"))
    }

    /// The hash of the whole record.
    #[must_use]
    pub fn hash(&self) -> ReasonHash {
        let hash = HEXLOWER.encode(&Sha256::digest(&self.0));
        ReasonHash(format!("{PREFIX}{hash}"))
    }
}

impl ReasonHash {
    /// Parses the note of a removal's log entry. `None` if the note is not a hash.
    pub(crate) fn parse(note: &str) -> Option<Self> {
        let hash = HEXLOWER
            .decode(note.strip_prefix(PREFIX)?.as_bytes())
            .ok()?;
        (hash.len() == Sha256::output_size()).then(|| Self(note.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> ReasonRecord {
        ReasonRecord::new(&Reason::parse(text).expect("a reason")).expect("a record")
    }

    #[test]
    fn equal_reasons_have_different_hashes() {
        let [first, second] = [record("no licence"), record("no licence")];
        assert_ne!(first.hash(), second.hash());
        assert_eq!(ReasonHash::parse(first.hash().as_str()), Some(first.hash()));
    }

    #[test]
    fn a_record_keeps_every_character_of_the_reason() {
        for text in [" no  licence ", "🏆"] {
            let stored = ReasonRecord::from_stored(record(text).as_str().to_owned());
            assert_eq!(stored.reason().expect("a reason").as_str(), text);
        }
    }

    #[test]
    fn a_text_that_resembles_a_hash_is_not_one() {
        for note in ["", "no licence", "sha256:", "sha256:00", &"0".repeat(71)] {
            assert_eq!(ReasonHash::parse(note), None, "{note}");
        }
    }
}
