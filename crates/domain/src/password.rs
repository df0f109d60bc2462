//! A password in plain text. It is hashed and never shown.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use thiserror::Error;

/// A password that may be set: 8 to 128 characters, not one of the most common.
#[derive(Clone)]
pub struct Password(String);

/// The password must not be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WeakPassword {
    #[error("must be 8 to 128 characters")]
    Length,
    #[error("is among the 3,000 most common passwords, choose another")]
    Common,
}

/// The 3,000 most common passwords of at least 8 characters, one a line. `passwords/README.md`
/// names the source.
const COMMON: &str = include_str!("../passwords/common.txt");

impl Password {
    const MIN: usize = 8;
    const MAX: usize = 128;

    /// Accepts a new password. There are no rules of composition.
    pub fn parse(text: String) -> Result<Self, WeakPassword> {
        static LISTED: LazyLock<HashSet<&str>> = LazyLock::new(|| COMMON.lines().collect());
        if text.chars().count() < Self::MIN {
            return Err(WeakPassword::Length);
        }
        let password = Self::typed(text)?;
        if LISTED.contains(password.0.to_lowercase().as_str()) {
            return Err(WeakPassword::Common);
        }
        Ok(password)
    }

    /// Accepts the password of a sign-in: any text of at most 128 characters. It need not pass
    /// [`Password::parse`], because the rules may have been laxer when it was set.
    pub fn typed(text: String) -> Result<Self, WeakPassword> {
        // A character has at most 4 bytes, so a longer text is rejected without counting.
        if text.len() > 4 * Self::MAX || text.chars().count() > Self::MAX {
            return Err(WeakPassword::Length);
        }
        Ok(Self(text))
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_the_only_rule_of_composition() {
        assert!(Password::parse("vier worte am see".to_owned()).is_ok());
        assert!(Password::parse("🏆".repeat(8)).is_ok());
        for bad in ["", "1234567", &"x".repeat(129)] {
            let refused = Password::parse(bad.to_owned()).map(|_| ());
            assert_eq!(refused, Err(WeakPassword::Length));
        }
    }

    #[test]
    fn common_passwords_are_refused_in_any_case() {
        assert_eq!(COMMON.lines().count(), 3000);
        for bad in ["password", "Password1", "1q2w3e4r5t"] {
            let refused = Password::parse(bad.to_owned()).map(|_| ());
            assert_eq!(refused, Err(WeakPassword::Common), "{bad}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let password = Password::parse("correct horse".to_owned()).expect("a password");
        assert_eq!(format!("{password:?}"), "Password(..)");
    }
}
