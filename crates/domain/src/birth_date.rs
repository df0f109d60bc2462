//! The birth date of a user.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::{Date, Month};

/// A day of the calendar from 1900-01-01 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BirthDate(Date);

/// The numbers are not a birth date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a day of the calendar from 1900-01-01 on, with year, month and day")]
pub struct NotABirthDate;

impl BirthDate {
    const FIRST_YEAR: i32 = 1900;

    /// Accepts a day of the calendar. Does not check that it is in the past: that takes a clock.
    pub fn parse(year: i32, month: i32, day: i32) -> Result<Self, NotABirthDate> {
        let number = |n: i32| u8::try_from(n).map_err(|_| NotABirthDate);
        let month = Month::try_from(number(month)?).map_err(|_| NotABirthDate)?;
        let date =
            Date::from_calendar_date(year, month, number(day)?).map_err(|_| NotABirthDate)?;
        if year < Self::FIRST_YEAR {
            return Err(NotABirthDate);
        }
        Ok(Self(date))
    }

    /// Returns the year, the month (1 to 12) and the day of the month.
    #[must_use]
    pub fn year_month_day(self) -> (i32, i32, i32) {
        (
            self.0.year(),
            i32::from(u8::from(self.0.month())),
            i32::from(self.0.day()),
        )
    }
}

/// Formats as ISO 8601, such as `2001-02-03`.
impl fmt::Display for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.year_month_day();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl TryFrom<String> for BirthDate {
    type Error = NotABirthDate;

    fn try_from(text: String) -> Result<Self, NotABirthDate> {
        let mut parts = text.splitn(3, '-').map(str::parse::<i32>);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Ok(year)), Some(Ok(month)), Some(Ok(day))) => Self::parse(year, month, day),
            _ => Err(NotABirthDate),
        }
    }
}

impl From<BirthDate> for String {
    fn from(date: BirthDate) -> Self {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_birth_dates() {
        assert!(BirthDate::parse(2004, 2, 29).is_ok());
        for (year, month, day) in [
            (2003, 2, 29),
            (0, 0, 0),
            (1899, 1, 1),
            (2000, 13, 1),
            (2000, 1, -1),
        ] {
            assert!(
                BirthDate::parse(year, month, day).is_err(),
                "{year}-{month}-{day}"
            );
        }
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let date = BirthDate::parse(1987, 6, 5).expect("a date");
        assert_eq!(BirthDate::try_from(date.to_string()), Ok(date));
    }
}
