//! An e-mail address: kept as it was written, compared without regard to case.

use std::fmt;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An address of at most 254 bytes (RFC 5321, errata 1690), with a domain that has a dot.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// The text is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an e-mail address such as ada@example.org, of at most 254 bytes")]
pub struct NotAnEmail;

const MAX_BYTES: usize = 254;

/// Accepts a bare address: no display text, no domain literal, a domain with a dot.
fn check_email(text: &str) -> Result<(), NotAnEmail> {
    let options = Options::default()
        .without_display_text()
        .without_domain_literal()
        .with_required_tld();
    let printable = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    if text.len() > MAX_BYTES || !printable {
        return Err(NotAnEmail);
    }
    EmailAddress::parse_with_options(text, options).map_err(|_| NotAnEmail)?;
    Ok(())
}

checked_text!(Email, NotAnEmail, check_email);

impl Email {
    /// Returns the form in which addresses are compared: lower case.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_lowercase()
    }
}

/// Ignores case, so that a capital letter does not give a person a second account.
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
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_as_written_and_compared_ignoring_case() {
        let written = Email::parse("Ada@Example.org").expect("an address");
        assert_eq!(written.as_str(), "Ada@Example.org");
        assert_eq!(written, Email::parse("ada@example.ORG").expect("the same"));
    }

    #[test]
    fn a_text_that_is_not_an_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(250));
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.org",
            "ada@localhost",
            "ada@@example.org",
            "Ada <ada@example.org>",
            "ada@example.org\n",
            "ada@[127.0.0.1]",
            &long,
        ] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
    }
}
