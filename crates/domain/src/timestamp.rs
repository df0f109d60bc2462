//! A point in time, in whole milliseconds of UTC.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds since 1970-01-01T00:00:00Z, up to the end of the year 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Timestamp(i64);

/// The number of milliseconds is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be from 1970-01-01T00:00:00Z to 9999-12-31T23:59:59.999Z")]
pub struct NotATimestamp;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// 9999-12-31T23:59:59.999Z, the last moment of a `google.protobuf.Timestamp`.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// Accepts milliseconds since 1970-01-01T00:00:00Z.
    pub fn from_millis(millis: i64) -> Result<Self, NotATimestamp> {
        let moment = Self(millis);
        if (Self::MIN..=Self::MAX).contains(&moment) {
            Ok(moment)
        } else {
            Err(NotATimestamp)
        }
    }

    /// Returns milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the time `wait` later, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(wait).min(Self::MAX.0))
    }
}

impl From<Timestamp> for i64 {
    fn from(moment: Timestamp) -> Self {
        moment.0
    }
}

impl TryFrom<i64> for Timestamp {
    type Error = NotATimestamp;

    fn try_from(millis: i64) -> Result<Self, NotATimestamp> {
        Self::from_millis(millis)
    }
}

/// Formats as RFC 3339, such as `2027-05-01T08:00:00Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.0) * 1_000_000;
        let text = OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .and_then(|moment| moment.format(&Rfc3339).ok());
        f.write_str(&text.ok_or(fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_formatted_as_rfc_3339() {
        assert_eq!(Timestamp::MIN.to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn it_ends_with_the_year_9999() {
        let after = Timestamp::MAX.as_millis() + 1;
        assert_eq!(Timestamp::from_millis(after), Err(NotATimestamp));
        assert_eq!(Timestamp::from_millis(-1), Err(NotATimestamp));
        assert_eq!(Timestamp::MAX.after(Duration::from_secs(1)), Timestamp::MAX);
    }
}
