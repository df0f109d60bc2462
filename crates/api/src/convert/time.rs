//! Times and dates.

use domain::{BirthDate, Timestamp};

use crate::v1;

const MILLIS_PER_SECOND: i64 = 1000;
const NANOS_PER_MILLI: i64 = 1_000_000;

#[must_use]
pub fn timestamp(moment: Timestamp) -> prost_types::Timestamp {
    let millis = moment.as_millis();
    let nanos = millis.rem_euclid(MILLIS_PER_SECOND) * NANOS_PER_MILLI;
    prost_types::Timestamp {
        seconds: millis.div_euclid(MILLIS_PER_SECOND),
        // Below 10^9, so it always fits.
        nanos: i32::try_from(nanos).unwrap_or_default(),
    }
}

impl From<BirthDate> for v1::Date {
    fn from(date: BirthDate) -> Self {
        let (year, month, day) = date.year_month_day();
        Self { year, month, day }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_become_seconds_and_nanoseconds() {
        let moment = Timestamp::from_millis(1_234_567).expect("a moment");
        let (seconds, nanos) = (1234, 567_000_000);
        assert_eq!(timestamp(moment), prost_types::Timestamp { seconds, nanos });
    }

    #[test]
    fn the_last_timestamp_is_the_last_of_protobuf_in_whole_milliseconds() {
        let last = timestamp(Timestamp::MAX);
        assert_eq!(last.to_string(), "9999-12-31T23:59:59.999Z");
    }
}
