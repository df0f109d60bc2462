//! Valid values of the domain, made from a name.

use domain::{Club, DisplayName, Email, Profile};

/// The address `<name>@example.org`.
#[must_use]
pub fn email(name: &str) -> Email {
    Email::parse(format!("{name}@example.org")).expect("a valid address")
}

#[must_use]
pub fn display_name(name: &str) -> DisplayName {
    DisplayName::parse(name).expect("a valid display name")
}

#[must_use]
pub fn profile(name: &str) -> Profile {
    Profile {
        display_name: display_name(name),
        country_code: None,
        birth_date: None,
        club: Club::parse("").expect("an empty club is valid"),
    }
}
