//! Country codes of ISO 3166-1 alpha-2.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Two capital letters that ISO 3166-1 assigns to a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CountryCode([u8; 2]);

/// The text is not an assigned country code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an ISO 3166-1 alpha-2 country code such as CH")]
pub struct NotACountry;

impl CountryCode {
    /// Accepts an assigned code in capital letters.
    pub fn parse(text: &str) -> Result<Self, NotACountry> {
        let assigned = rust_iso3166::from_alpha2(text).ok_or(NotACountry)?;
        let letters = assigned.alpha2.as_bytes();
        letters.try_into().map(Self).map_err(|_| NotACountry)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        // `parse` accepts ASCII letters only, so this never falls back.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for CountryCode {
    type Error = NotACountry;

    fn try_from(text: String) -> Result<Self, NotACountry> {
        Self::parse(&text)
    }
}

impl From<CountryCode> for String {
    fn from(code: CountryCode) -> Self {
        code.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_assigned_codes_are_accepted() {
        assert_eq!(
            CountryCode::parse("CH").map(|c| c.to_string()),
            Ok("CH".to_owned())
        );
        for bad in ["", "ch", "ZZ", "CHE", "C", "XX"] {
            assert_eq!(CountryCode::parse(bad), Err(NotACountry), "{bad}");
        }
    }
}
