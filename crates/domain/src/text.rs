//! Bounded texts. They are kept as they were written: any script, any direction, emoji.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotText {
    /// Too short or too long. Lengths are in Unicode scalar values.
    #[error("must be {min} to {max} characters")]
    Length {
        /// The fewest that are allowed.
        min: usize,
        /// The most that are allowed.
        max: usize,
    },
    /// A control character.
    #[error("must not hold control characters")]
    Control,
    /// Only white space where something must be said.
    #[error("must not be blank")]
    Blank,
}

fn check_text(text: &str, min: usize, max: usize, lines: bool) -> Result<(), NotText> {
    // A scalar value has at most 4 bytes: a longer text need not be counted.
    if text.len() > 4 * max || !(min..=max).contains(&text.chars().count()) {
        return Err(NotText::Length { min, max });
    }
    let layout = |c: char| lines && matches!(c, '\n' | '\r' | '\t');
    if text.chars().any(|c| c.is_control() && !layout(c)) {
        return Err(NotText::Control);
    }
    if min > 0 && text.trim().is_empty() {
        return Err(NotText::Blank);
    }
    Ok(())
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $min:literal..=$max:literal, lines: $lines:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the length and refuses control characters.
            pub fn parse(text: impl Into<String>) -> Result<Self, NotText> {
                let text = text.into();
                check_text(&text, $min, $max, $lines)?;
                Ok(Self(text))
            }

            /// The text as it was written.
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
            type Error = NotText;

            fn try_from(text: String) -> Result<Self, NotText> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    };
}

text! {
    /// The title of a competition: 1 to 120 characters, one line.
    Title, 1..=120, lines: false
}
text! {
    /// The description of a competition: at most 5,000 characters; line breaks and tabs are allowed.
    Description, 0..=5000, lines: true
}
text! {
    /// Where a competition takes place: at most 240 characters, one line.
    Venue, 0..=240, lines: false
}
text! {
    /// How a person wants to be called: 1 to 80 characters, one line.
    DisplayName, 1..=80, lines: false
}
text! {
    /// The club of a competitor: at most 120 characters, one line.
    Club, 0..=120, lines: false
}
text! {
    /// Why something was done: at most 500 characters, one line. It is kept in the log for good.
    Reason, 0..=500, lines: false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_as_it_was_written() {
        for text in ["Züri Cup", "كأس الربيع", "🏆🥇", "e\u{301}"] {
            assert_eq!(Title::parse(text).expect("a good title").as_str(), text);
        }
    }

    #[test]
    fn limits_count_characters_not_bytes() {
        assert!(Title::parse("🏆".repeat(120)).is_ok());
        let too_long = Title::parse("x".repeat(121));
        assert_eq!(too_long, Err(NotText::Length { min: 1, max: 120 }));
    }

    #[test]
    fn control_characters_are_refused_and_a_description_may_have_lines() {
        assert_eq!(Title::parse("a\nb"), Err(NotText::Control));
        assert_eq!(Description::parse("a\0b"), Err(NotText::Control));
        assert!(Description::parse("a\n\tb").is_ok());
    }

    #[test]
    fn a_required_text_says_something() {
        assert_eq!(Title::parse("  "), Err(NotText::Blank));
        assert!(Venue::parse("").is_ok());
    }
}
