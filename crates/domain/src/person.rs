//! People: who enters competitions, and who runs them.

use serde::{Deserialize, Serialize};

use crate::birth_date::BirthDate;
use crate::country::CountryCode;
use crate::email::Email;
use crate::id::{AdminId, Etag, UserId};
use crate::text::{Club, DisplayName};
use crate::timestamp::Timestamp;

/// A person who enters competitions.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// The name of the account, for good.
    pub id: UserId,
    /// Where the person is reached, and how the person signs in.
    pub email: Email,
    /// What the person says of themselves.
    pub profile: Profile,
    /// How often the profile was written; the etag is made of this.
    pub version: u64,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When the profile was last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// Names the version of the profile.
    #[must_use]
    pub fn etag(&self) -> Etag {
        Etag::of_version(self.version)
    }
}

/// What a person says of themselves and may change at will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// How the person wants to be called.
    pub display_name: DisplayName,
    /// The country, if that was said.
    pub country_code: Option<CountryCode>,
    /// The birth date, if that was said.
    pub birth_date: Option<BirthDate>,
    /// The club; may be empty.
    pub club: Club,
}

/// The fields of a profile that an update names. `None` = not named, so left as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfilePatch {
    /// A new name to be called by.
    pub display_name: Option<DisplayName>,
    /// A new country, or none.
    pub country_code: Option<Option<CountryCode>>,
    /// A new birth date, or none.
    pub birth_date: Option<Option<BirthDate>>,
    /// A new club.
    pub club: Option<Club>,
}

impl ProfilePatch {
    /// The profile with the named fields changed.
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
    /// The name of the account, for good.
    pub id: AdminId,
    /// Where the person is reached, and how the person signs in.
    pub email: Email,
    /// How the person wants to be called.
    pub display_name: DisplayName,
    /// What the person may do.
    pub role: Role,
    /// A disabled admin may do nothing, from the next call on.
    pub disabled: bool,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// What an admin may do. A role includes those below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees everything, changes nothing.
    Viewer,
    /// Runs competitions.
    Organiser,
    /// Also makes and disables admins.
    Owner,
}

impl Role {
    /// The word under which it is stored.
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
    fn a_role_includes_those_below_it() {
        assert!(Role::Owner > Role::Organiser);
        assert!(Role::Organiser > Role::Viewer);
    }
}
