//! An e-mail address: kept as it was written, compared by its canonical form.

mod former;
mod parts;

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::parts::Parts;
use crate::unicode::CodePoint;

/// An address as it was written. Two addresses are equal if their canonical forms are, that is, if
/// they name the same mailbox.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// The text is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotAnEmail {
    #[error("must be an e-mail address such as ada@example.org, of at most 254 bytes")]
    Form,
    #[error("must be an e-mail address; its part before the @ must not hold {0}")]
    Character(CodePoint),
    #[error("must be an e-mail address; its domain must be a valid host name with a dot")]
    Domain,
    #[error("must be an e-mail address; its top-level domain must begin with a letter")]
    TopLevelDomain,
}

checked_text!(Email, NotAnEmail, parse: parse_new, stored: parse_known);

/// Accepts an address for a new account: letters, marks and digits of any script and the symbols of
/// RFC 5322 before the `@`, and a domain that is valid under UTS #46. The limits are 64 bytes before
/// the `@`, 63 for each label and 254 in all, and count the canonical form.
fn parse_new(text: String) -> Result<String, NotAnEmail> {
    Parts::of(&text)?.check()?;
    Ok(text)
}

/// Accepts the address of an account that exists: also what only an earlier release accepted.
fn parse_known(text: String) -> Result<String, NotAnEmail> {
    match parse_new(text.clone()) {
        Err(_) if former::is_accepted(&text) => Ok(text),
        parsed => parsed,
    }
}

impl Email {
    /// Accepts an address to look up an account with, such as at a sign-in. It need not pass
    /// [`Email::parse`], because the rules were laxer when older accounts were created.
    pub fn typed(text: impl Into<String>) -> Result<Self, NotAnEmail> {
        parse_known(text.into()).map(Self)
    }

    /// Returns the form in which addresses are compared: the part before the `@` without
    /// differences in case, in NFC, and the domain in ASCII, as the DNS has it.
    #[must_use]
    pub fn canonical(&self) -> String {
        match Parts::of(&self.0) {
            Ok(parts) => parts.canonical(),
            Err(_) => former::canonical(&self.0),
        }
    }

    /// Returns the form in which releases up to 0.1.0 compared this address, as it was written.
    #[must_use]
    pub fn former_canonical(&self) -> String {
        former::canonical(&self.0)
    }

    /// Returns the other forms under which an earlier release may have known this mailbox, the most
    /// probable first: that of the address as it was written. None of them is the canonical form;
    /// usually there are none.
    #[must_use]
    pub fn former_canonicals(&self) -> Vec<String> {
        former::canonicals(self)
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Eq for Email {}

/// Hides the address: it is personal data and must not reach a log by accident.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(..)")
    }
}

#[cfg(test)]
mod tests;
