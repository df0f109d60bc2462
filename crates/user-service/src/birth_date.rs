//! The check of birth dates, which needs the current time.

use std::time::Duration;

use domain::{BirthDate, InvalidFields, Timestamp};

/// The largest time offset from UTC, that of Kiribati.
const MAX_UTC_OFFSET: Duration = Duration::from_secs(14 * 60 * 60);

/// Refuses a date that has not begun anywhere on earth.
pub(crate) fn not_in_the_future(
    field: &str,
    day: Option<BirthDate>,
    now: Timestamp,
) -> Result<(), InvalidFields> {
    let latest = now.after(MAX_UTC_OFFSET).to_string();
    // Both texts begin with the year, the month and the day at full width, so their order is that
    // of the dates.
    if day.is_some_and(|day| day.to_string() > latest) {
        return Err(InvalidFields::one(field, "must not be in the future"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T09:59:59.999Z, one millisecond before midnight in Kiribati.
    fn before_midnight_in_kiribati() -> Timestamp {
        Timestamp::from_millis(1_795_427_999_999).expect("a moment")
    }

    fn is_accepted(day: i32, now: Timestamp) -> bool {
        let day = BirthDate::parse(2026, 11, day).expect("a day");
        not_in_the_future("birth_date", Some(day), now).is_ok()
    }

    #[test]
    fn a_date_is_valid_once_it_has_begun_somewhere() {
        let now = before_midnight_in_kiribati();
        assert!(is_accepted(22, now));
        assert!(is_accepted(23, now));
        assert!(!is_accepted(24, now));
        assert!(is_accepted(24, now.after(Duration::from_millis(1))));
    }

    #[test]
    fn a_birth_date_is_optional() {
        assert_eq!(
            not_in_the_future("birth_date", None, Timestamp::MIN),
            Ok(())
        );
    }
}
