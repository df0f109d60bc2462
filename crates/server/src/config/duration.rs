//! Durations in settings.

use std::time::Duration;

use thiserror::Error;

const MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A text is not a valid duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a duration such as 500ms, 2s or 1m, and at most 24h")]
pub struct InvalidDuration;

/// Parses a duration such as `500ms`, `2s` or `1h 30m`, of at most 24 hours.
pub fn duration(text: &str) -> Result<Duration, InvalidDuration> {
    let duration = humantime::parse_duration(text).map_err(|_| InvalidDuration)?;
    (duration <= MAX).then_some(duration).ok_or(InvalidDuration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit_and_at_most_a_day() {
        for (text, millis) in [
            ("0s", 0),
            ("500ms", 500),
            ("2s", 2_000),
            ("1m", 60_000),
            ("1m 30s", 90_000),
            ("24h", 86_400_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for invalid in ["", "2", "s", "-1s", "25h", "99999999999999999999s"] {
            assert_eq!(duration(invalid), Err(InvalidDuration), "{invalid}");
        }
    }
}
