//! Users.

use domain::User;

use super::time::timestamp;
use crate::v1;

impl From<User> for v1::User {
    fn from(user: User) -> Self {
        let etag = user.etag();
        let profile = user.profile;
        Self {
            user_id: user.id.into(),
            email: user.email.into(),
            display_name: profile.display_name.into(),
            country_code: profile.country_code.map(String::from).unwrap_or_default(),
            birth_date: profile.birth_date.map(v1::Date::from),
            club: profile.club.into(),
            created_at: Some(timestamp(user.created_at)),
            updated_at: Some(timestamp(user.updated_at)),
            etag: etag.as_str().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{BirthDate, Club, CountryCode, DisplayName, Email, Profile, Timestamp, UserId};

    fn ada(profile: Profile) -> User {
        User {
            id: UserId::parse("ada-1815").expect("an id"),
            email: Email::parse("Ada@Example.org").expect("an address"),
            profile,
            version: 3,
            created_at: Timestamp::MIN,
            updated_at: Timestamp::MAX,
        }
    }

    #[test]
    fn a_full_profile_is_returned_as_it_was_written() {
        let user = v1::User::from(ada(Profile {
            display_name: DisplayName::parse("Ada 🏆").expect("a name"),
            country_code: CountryCode::parse("GB").ok(),
            birth_date: BirthDate::parse(1915, 12, 10).ok(),
            club: Club::parse("Analytical Engines").expect("a club"),
        }));
        let (year, month, day) = (1915, 12, 10);
        assert_eq!(user.birth_date, Some(v1::Date { year, month, day }));
        assert_eq!(
            (user.email.as_str(), user.display_name.as_str()),
            ("Ada@Example.org", "Ada 🏆")
        );
        assert_eq!(
            (user.country_code.as_str(), user.club.as_str()),
            ("GB", "Analytical Engines")
        );
        assert!(user.created_at != user.updated_at && !user.etag.is_empty());
    }

    #[test]
    fn an_absent_field_is_empty() {
        let user = v1::User::from(ada(Profile {
            display_name: DisplayName::parse("Ada").expect("a name"),
            country_code: None,
            birth_date: None,
            club: Club::parse("").expect("no club"),
        }));
        assert_eq!((user.country_code.as_str(), user.club.as_str()), ("", ""));
        assert_eq!(user.birth_date, None);
    }
}
