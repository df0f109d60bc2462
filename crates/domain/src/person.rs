//! Users, who enter competitions, and admins, who run them.

use serde::{Deserialize, Serialize};

use crate::birth_date::BirthDate;
use crate::country::CountryCode;
use crate::email::Email;
use crate::id::{AdminId, Etag, UserId};
use crate::text::{Club, DisplayName};
use crate::timestamp::Timestamp;

/// A person who registers for competitions.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub id: UserId,
    pub email: Email,
    pub profile: Profile,
    /// The number of writes of the profile. The etag is made from it.
    pub version: u64,
    pub created_at: Timestamp,
    /// The time of the last change of the profile.
    pub updated_at: Timestamp,
}

impl User {
    /// Returns the etag of the profile.
    #[must_use]
    pub fn etag(&self) -> Etag {
        Etag::of_version(self.version)
    }
}

/// The part of an account that the user writes and may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub display_name: DisplayName,
    pub country_code: Option<CountryCode>,
    pub birth_date: Option<BirthDate>,
    /// May be empty.
    pub club: Club,
}

/// The new values of an update. `None` leaves a field as it is; `Some(None)` clears it.
///
/// The serialised form holds only the fields that the update names. It identifies the request, so a
/// change of the form makes repeated requests unrecognisable for 24 hours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProfilePatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<DisplayName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_code: Option<Option<CountryCode>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<Option<BirthDate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub club: Option<Club>,
}

impl ProfilePatch {
    /// Returns the profile with the named fields replaced.
    #[must_use]
    pub fn apply(self, profile: Profile) -> Profile {
        Profile {
            display_name: self.display_name.unwrap_or(profile.display_name),
            country_code: self.country_code.unwrap_or(profile.country_code),
            birth_date: self.birth_date.unwrap_or(profile.birth_date),
            club: self.club.unwrap_or(profile.club),
        }
    }
}

/// A person who runs competitions.
#[derive(Debug, Clone, PartialEq)]
pub struct Admin {
    pub id: AdminId,
    pub email: Email,
    pub display_name: DisplayName,
    pub role: Role,
    /// A disabled admin can do nothing, from the next call on.
    pub disabled: bool,
    pub created_at: Timestamp,
}

/// The rights of an admin, in ascending order: a role includes the rights of all lesser ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads everything but the list of admins.
    Viewer,
    /// Also writes competitions and registrations.
    Organiser,
    /// Also creates and disables admins.
    Owner,
}

impl Role {
    /// Returns the word that Redis stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Organiser => "organiser",
            Self::Owner => "owner",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_by_their_rights() {
        assert!(Role::Owner > Role::Organiser);
        assert!(Role::Organiser > Role::Viewer);
    }
}
