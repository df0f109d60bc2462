//! An event in the log of an account, which is a stream. The scripts write it: see
//! `scripts/prelude_account.lua`.

use domain::Timestamp;

use super::Fields;
use crate::error::{Error, Result};

/// Something that happened to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEvent {
    /// The time by Redis's clock.
    pub at: Timestamp,
    pub kind: AccountEventKind,
}

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountEventKind {
    SignUp,
    SignIn,
    SignOut,
    UpdateProfile,
    ChangePassword,
    /// Admins only.
    Disable,
    /// Users only.
    Erase,
}

impl AccountEventKind {
    /// The word in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::SignIn => "sign_in",
            Self::SignOut => "sign_out",
            Self::UpdateProfile => "update_profile",
            Self::ChangePassword => "change_password",
            Self::Disable => "disable",
            Self::Erase => "erase",
        }
    }

    fn parse(word: &str) -> Result<Self> {
        [
            Self::SignUp,
            Self::SignIn,
            Self::SignOut,
            Self::UpdateProfile,
            Self::ChangePassword,
            Self::Disable,
            Self::Erase,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| Error::unreadable(format_args!("the action `{word}` of an account event")))
    }
}

/// Parses an event from its id, `<milliseconds>-<number>`, and its fields.
pub fn parse(id: &str, mut fields: Fields) -> Result<AccountEvent> {
    let millis = id
        .split_once('-')
        .and_then(|(millis, _)| millis.parse().ok());
    let at = millis.and_then(|millis| Timestamp::from_millis(millis).ok());
    let unreadable = || Error::unreadable(format_args!("the id `{id}` of an account event"));
    Ok(AccountEvent {
        at: at.ok_or_else(unreadable)?,
        kind: AccountEventKind::parse(&fields.text("action"))?,
    })
}
