//! Texts of bounded length. A text is kept as it was written: any script, any direction, emoji.
//! Lengths count Unicode scalar values.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The text is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotText {
    #[error("must be {min} to {max} characters")]
    Length { min: usize, max: usize },
    #[error("must not hold control characters")]
    Control,
    /// A required text consists of white space only.
    #[error("must not be blank")]
    Blank,
}

fn check_text(text: &str, min: usize, max: usize, lines: bool) -> Result<(), NotText> {
    // A scalar value has at most 4 bytes, so a longer text is rejected without counting.
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

        checked_text!($name, NotText, |text: &str| check_text(text, $min, $max, $lines));
        display_text!($name);
    };
}

text! {
    /// The title of a competition: 1 to 120 characters, one line.
    Title, 1..=120, lines: false
}
text! {
    /// The description of a competition: at most 5,000 characters; line breaks and tabs are
    /// allowed.
    Description, 0..=5000, lines: true
}
text! {
    /// The venue of a competition: at most 240 characters, one line.
    Venue, 0..=240, lines: false
}
text! {
    /// The name that a person chose to be shown: 1 to 80 characters, one line.
    DisplayName, 1..=80, lines: false
}
text! {
    /// The club of a competitor: at most 120 characters, one line.
    Club, 0..=120, lines: false
}
text! {
    /// The reason of a removal or a cancellation: at most 500 characters, one line. The log keeps
    /// it for good.
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
    fn a_required_text_is_not_blank() {
        assert_eq!(Title::parse("  "), Err(NotText::Blank));
        assert!(Venue::parse("").is_ok());
    }
}
