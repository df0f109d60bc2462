//! How a profile is stored: a hash with the names of the contract. Empty = absent.

use domain::{Profile, User, UserId};

use crate::error::Result;
use crate::records::Fields;

/// The fields of a profile as they are stored; empty = absent.
pub(super) fn written(profile: &Profile) -> Vec<(&'static str, String)> {
    let text = |value: Option<String>| value.unwrap_or_default();
    vec![
        ("display_name", profile.display_name.to_string()),
        (
            "country_code",
            text(profile.country_code.map(|code| code.to_string())),
        ),
        (
            "birth_date",
            text(profile.birth_date.map(|date| date.to_string())),
        ),
        ("club", profile.club.to_string()),
    ]
}

/// Reads a user from the fields of a profile.
pub(crate) fn read_user(id: UserId, mut fields: Fields) -> Result<User> {
    Ok(User {
        id,
        email: fields.get("email")?,
        profile: Profile {
            display_name: fields.get("display_name")?,
            country_code: fields.optional("country_code")?,
            birth_date: fields.optional("birth_date")?,
            club: fields.get("club")?,
        },
        version: fields.number("version")?,
        created_at: fields.timestamp("created_at")?,
        updated_at: fields.timestamp("updated_at")?,
    })
}
