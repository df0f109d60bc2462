//! Texts of bounded length: any script, any direction, emoji. A text is stored in Normalisation Form
//! C, otherwise as it was written. Lengths count Unicode scalar values in that form.

mod rules;

use serde::{Deserialize, Serialize};

use crate::unicode;

pub use rules::NotText;

/// Accepts a text from a client: normalises it and checks every rule. One line must be empty or
/// visible.
fn parse_text(text: &str, min: usize, max: usize, lines: bool) -> Result<String, NotText> {
    if unicode::is_surely_longer(text, max) {
        return Err(NotText::Length { min, max });
    }
    let text = unicode::nfc(text);
    check_length(&text, min, max)?;
    rules::check_characters(&text, lines)?;
    if !lines && !text.is_empty() && !unicode::has_visible(&text) {
        return Err(NotText::Invisible);
    }
    Ok(text.into_owned())
}

/// The only rule for a stored text, because the others may have been laxer when it was written.
fn check_length(text: &str, min: usize, max: usize) -> Result<(), NotText> {
    if (min..=max).contains(&text.chars().count()) {
        Ok(())
    } else {
        Err(NotText::Length { min, max })
    }
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $min:literal..=$max:literal, lines: $lines:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        checked_text!(
            $name,
            NotText,
            parse: |text: String| parse_text(&text, $min, $max, $lines),
            stored: |text: String| check_length(&text, $min, $max).map(|()| text)
        );
        display_text!($name);
    };
}

text! {
    /// The title of a competition: 1 to 120 characters, one line.
    Title, 1..=120, lines: false
}
text! {
    /// The description of a competition: at most 5,000 characters; line breaks and tabs are
    /// allowed, and controls of the direction of text in pairs within a line.
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
    /// that of a cancellation for good.
    Reason, 0..=500, lines: false
}

/// No reason.
impl Default for Reason {
    fn default() -> Self {
        Self(String::new())
    }
}

#[cfg(test)]
mod tests;
