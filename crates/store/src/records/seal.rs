//! The seal of a competition's log: a SHA-256 chain over all entries up to a revision, stored as
//! `<revision>:<hash in hex>`.

use std::fmt;

use data_encoding::HEXLOWER;
use domain::Revision;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The hash of a log up to a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// The last entry that the seal covers.
    pub revision: Revision,
    /// The hash of the chain.
    pub chain: [u8; 32],
}

impl Seal {
    /// The seal of an empty log.
    pub const EMPTY: Self = Self {
        revision: Revision::new(0),
        chain: [0; 32],
    };

    /// The seal of the log with one more entry: the SHA-256 of the chain so far, the entry's
    /// revision, and its names and values, each preceded by its length.
    #[must_use]
    pub fn with_entry(self, revision: Revision, fields: &[String]) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.chain);
        hash.update(revision.get().to_be_bytes());
        for field in fields {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        Self {
            revision,
            chain: hash.finalize().into(),
        }
    }

    /// Parses a stored seal.
    pub fn parse(text: &str) -> Result<Self> {
        let seal = text.split_once(':').and_then(|(revision, chain)| {
            Some(Self {
                revision: Revision::new(revision.parse().ok()?),
                chain: HEXLOWER.decode(chain.as_bytes()).ok()?.try_into().ok()?,
            })
        });
        seal.ok_or_else(|| Error::unreadable("a seal"))
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.revision, HEXLOWER.encode(&self.chain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_depends_on_every_entry_and_on_where_its_fields_end() {
        let fields = |texts: [&str; 2]| texts.map(str::to_owned);
        let seal = |texts| Seal::EMPTY.with_entry(Revision::new(1), &fields(texts));
        assert_eq!(seal(["at", "7"]), seal(["at", "7"]));
        assert_ne!(seal(["at", "7"]), seal(["a", "t7"]));
        assert_ne!(seal(["at", "7"]), seal(["at", "8"]));
        let second = |first: Seal| first.with_entry(Revision::new(2), &fields(["at", "9"]));
        assert_ne!(second(seal(["at", "7"])), second(seal(["at", "8"])));
    }

    #[test]
    fn a_printed_seal_is_parsed_again() {
        let seal = Seal::EMPTY.with_entry(Revision::new(41), &[]);
        assert_eq!(Seal::parse(&seal.to_string()).expect("a seal"), seal);
        assert!(Seal::parse("41:xyz").is_err());
    }
}
