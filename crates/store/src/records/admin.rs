//! An admin, stored as the hash `profile` with the field names of the contract.

use domain::{Admin, AdminId, Role};

use super::Fields;
use crate::error::{Error, Result};

/// Parses an admin from the fields of the profile.
pub fn parse(id: AdminId, mut fields: Fields) -> Result<Admin> {
    Ok(Admin {
        id,
        email: fields.get("email")?,
        display_name: fields.get("display_name")?,
        role: parse_role(&fields.text("role"))?,
        disabled: fields.text("disabled") == "1",
        created_at: fields.timestamp("created_at")?,
    })
}

/// Parses the word of a role.
pub(crate) fn parse_role(word: &str) -> Result<Role> {
    [Role::Viewer, Role::Organiser, Role::Owner]
        .into_iter()
        .find(|role| role.as_str() == word)
        .ok_or_else(|| Error::unreadable("a role"))
}
