//! A user, stored as the hash `profile` with the field names of the contract. An empty field is
//! absent.

use domain::{Profile, User, UserId};

use super::Fields;
use crate::error::Result;

/// The fields that the user sets.
pub(crate) fn to_fields(profile: &Profile) -> Vec<(&'static str, String)> {
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

/// Parses a user from the fields of the profile.
pub fn parse(id: UserId, mut fields: Fields) -> Result<User> {
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
