//! A password in plain text. It is hashed and never shown.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use icu_properties::props::GeneralCategory;
use thiserror::Error;

use crate::email::Email;
use crate::unicode;

/// A password, normalised so that every keyboard gives the same bytes: NFC, and U+0020 for every
/// space (the profile `OpaqueString` of RFC 8265). Case is kept.
#[derive(Clone)]
pub struct Password {
    normalised: String,
    /// As it was typed, if that differs.
    typed: Option<String>,
}

/// The password must not be set. The sentences repeat no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WeakPassword {
    #[error("must be 8 to 128 characters")]
    Length,
    #[error("must not hold control characters")]
    Control,
    #[error("must hold visible characters")]
    Invisible,
    #[error("is among the 3,000 most common passwords, choose another")]
    Common,
    #[error("must not be the e-mail address or the part of it before the @")]
    Email,
}

/// The 3,000 most common passwords of at least 8 characters, one a line. `passwords/README.md`
/// names the source.
const COMMON: &str = include_str!("../passwords/common.txt");

impl Password {
    const MIN: usize = 8;
    const MAX: usize = 128;

    /// Accepts a new password: 8 to 128 characters, normalised; visible, without control
    /// characters; not one of the most common in any case. There are no rules of composition.
    ///
    /// Call [`Password::check_not_email`] too, before it is set.
    pub fn parse(text: String) -> Result<Self, WeakPassword> {
        static LISTED: LazyLock<HashSet<&str>> = LazyLock::new(|| COMMON.lines().collect());
        let password = Self::typed(text)?;
        let text = password.normalised.as_str();
        if !(Self::MIN..=Self::MAX).contains(&text.chars().count()) {
            return Err(WeakPassword::Length);
        }
        if text.chars().any(char::is_control) {
            return Err(WeakPassword::Control);
        }
        if !unicode::has_visible(text) {
            return Err(WeakPassword::Invisible);
        }
        if LISTED.contains(unicode::fold(text).as_str()) {
            return Err(WeakPassword::Common);
        }
        Ok(password)
    }

    /// Accepts the password of a sign-in: any text of at most 128 characters, typed or normalised.
    /// It need not pass [`Password::parse`], because the rules may have been laxer when it was set.
    pub fn typed(text: String) -> Result<Self, WeakPassword> {
        if unicode::is_surely_longer(&text, Self::MAX) {
            return Err(WeakPassword::Length);
        }
        let normalised = normalise(&text);
        let is_short = |text: &str| text.chars().count() <= Self::MAX;
        if !is_short(&text) && !is_short(&normalised) {
            return Err(WeakPassword::Length);
        }
        let typed = (text != normalised).then_some(text);
        Ok(Self { normalised, typed })
    }

    /// Refuses a new password that is the e-mail address of its account, or the part before the
    /// `@`, in any case and spelling.
    pub fn check_not_email(&self, email: &Email) -> Result<(), WeakPassword> {
        let is_address = Email::typed(self.normalised.as_str()).is_ok_and(|same| same == *email);
        let password = unicode::fold(&self.normalised);
        let canonical = email.canonical();
        let local = canonical.rsplit_once('@').map(|(local, _)| local);
        if is_address || local == Some(password.as_str()) {
            return Err(WeakPassword::Email);
        }
        Ok(())
    }

    /// Returns the bytes to hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.normalised.as_bytes()
    }

    /// Returns the password as it was typed, if that differs from what is hashed: releases up to
    /// 0.1.0 hashed it so.
    #[must_use]
    pub fn as_typed(&self) -> Option<&[u8]> {
        self.typed.as_ref().map(String::as_bytes)
    }
}

fn normalise(text: &str) -> String {
    let is_space = |c| unicode::category(c) == GeneralCategory::SpaceSeparator;
    let spaced: String = text
        .chars()
        .map(|c| if is_space(c) { ' ' } else { c })
        .collect();
    unicode::nfc(&spaced).into_owned()
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Password, WeakPassword> {
        Password::parse(text.to_owned())
    }

    fn refusal(text: &str) -> Option<WeakPassword> {
        parse(text).err()
    }

    #[test]
    fn length_is_the_only_rule_of_composition() {
        assert!(parse("vier worte am see").is_ok());
        assert!(parse(&"🏆".repeat(8)).is_ok());
        for bad in ["", "1234567", &"x".repeat(129), &"x".repeat(100_000)] {
            assert_eq!(refusal(bad), Some(WeakPassword::Length));
        }
    }

    #[test]
    fn one_password_has_the_same_bytes_from_every_keyboard() {
        let normalised = "pässwörtér lang";
        for typed in [
            "pässwörtér lang",
            "pa\u{308}sswo\u{308}rte\u{301}r lang",
            "pässwörtér\u{A0}lang",
            "pässwörtér\u{3000}lang",
        ] {
            let password = parse(typed).expect("a password");
            assert_eq!(password.as_bytes(), normalised.as_bytes());
            let as_typed = (typed != normalised).then_some(typed.as_bytes());
            assert_eq!(password.as_typed(), as_typed);
        }
        let capital = parse("Pässwörtér lang").expect("a password");
        assert_ne!(capital.as_bytes(), normalised.as_bytes());
    }

    #[test]
    fn limits_count_characters_of_the_normalised_form() {
        let letter = "e\u{301}";
        assert_eq!(refusal(&letter.repeat(7)), Some(WeakPassword::Length));
        assert!(parse(&letter.repeat(8)).is_ok() && parse(&letter.repeat(128)).is_ok());
        assert_eq!(refusal(&letter.repeat(129)), Some(WeakPassword::Length));
        // This character is longer in NFC. An earlier release set such passwords.
        let longer = "\u{958}".repeat(128);
        assert_eq!(refusal(&longer), Some(WeakPassword::Length));
        assert!(Password::typed(longer).is_ok());
        assert!(Password::typed(letter.repeat(129)).is_err());
    }

    #[test]
    fn a_password_that_nobody_can_see_is_refused() {
        for control in ["\u{1}".repeat(12), "long enough\u{7}".to_owned()] {
            assert_eq!(refusal(&control), Some(WeakPassword::Control));
            assert!(Password::typed(control).is_ok());
        }
        for invisible in [" ", "\u{A0}", "\u{200B}", "\u{2800}", "\u{301}"] {
            let refused = refusal(&invisible.repeat(12));
            assert_eq!(refused, Some(WeakPassword::Invisible), "{invisible:?}");
        }
    }

    #[test]
    fn common_passwords_are_refused_in_any_case() {
        assert_eq!(COMMON.lines().count(), 3000);
        for bad in ["password", "Password1", "1q2w3e4r5t"] {
            assert_eq!(refusal(bad), Some(WeakPassword::Common), "{bad}");
        }
    }

    #[test]
    fn the_address_of_the_account_is_refused() {
        let email = Email::parse("José.Gómez@bücher.example").expect("an address");
        for bad in [
            "José.Gómez@bücher.example",
            "JOSÉ.GÓMEZ@BÜCHER.EXAMPLE",
            "jose\u{301}.gómez@xn--bcher-kva.example",
            "José.Gómez",
            "jose\u{301}.GÓMEZ",
        ] {
            let password = parse(bad).expect("long enough");
            let refused = password.check_not_email(&email);
            assert_eq!(refused, Err(WeakPassword::Email), "{bad}");
        }
        let other = parse("José.Gómez@example.org").expect("long enough");
        assert_eq!(other.check_not_email(&email), Ok(()));
    }

    #[test]
    fn a_password_is_never_shown() {
        let password = parse("corre\u{301}ct horse").expect("a password");
        assert_eq!(format!("{password:?}"), "Password(..)");
    }
}
