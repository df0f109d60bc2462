//! An event in the log of an account, which is a stream. The scripts write it.

use domain::Timestamp;

use super::Fields;
use crate::error::{Error, Result};

/// Something that happened to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEvent {
    /// The time by Redis's clock.
    pub at: Timestamp,
    /// What happened, such as `sign_up`, `sign_in`, `change_password`, `erase`.
    pub action: String,
}

/// Parses an event from its id, `<milliseconds>-<number>`, and its fields.
pub fn parse(id: &str, mut fields: Fields) -> Result<AccountEvent> {
    let millis = id
        .split_once('-')
        .and_then(|(millis, _)| millis.parse().ok());
    let at = millis.and_then(|millis| Timestamp::from_millis(millis).ok());
    Ok(AccountEvent {
        at: at.ok_or_else(|| Error::unreadable("the id of an account's log entry"))?,
        action: fields.text("action"),
    })
}
