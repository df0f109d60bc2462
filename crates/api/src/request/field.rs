//! Fields that several requests have.

use domain::country::NotACountry;
use domain::id::{NotARequestId, NotAnId};
use domain::password::WeakPassword;
use domain::read_only::Sent;
use domain::timestamp::NotATimestamp;
use domain::{CompetitionId, CountryCode, Email, Password, RequestId, Timestamp};

/// Parses a request id. An empty one becomes a random id, so that the call is never a repetition.
pub(super) fn request_id(text: &str) -> Result<RequestId, NotARequestId> {
    if text.is_empty() {
        return Ok(RequestId::random());
    }
    RequestId::parse(text)
}

/// Parses the password of a new account with this address; `None` = the address is invalid.
pub(super) fn new_password(text: String, email: Option<&Email>) -> Result<Password, WeakPassword> {
    let password = Password::parse(text)?;
    if let Some(email) = email {
        password.check_not_email(email)?;
    }
    Ok(password)
}

/// Parses a country code; empty is `None`.
pub(super) fn country(text: &str) -> Result<Option<CountryCode>, NotACountry> {
    let named = (!text.is_empty()).then(|| CountryCode::parse(text));
    named.transpose()
}

/// Parses the id that an organiser chose; absent or empty is `None`.
pub(super) fn chosen_id(text: Option<String>) -> Result<Option<CompetitionId>, NotAnId> {
    let named = text.filter(|text| !text.is_empty());
    named.map(CompetitionId::parse).transpose()
}

/// Parses a time. Fractions of a millisecond are cut off.
fn time(time: prost_types::Timestamp) -> Result<Timestamp, NotATimestamp> {
    const MILLIS_PER_SECOND: i64 = 1000;
    const NANOS_PER_MILLI: i32 = 1_000_000;
    if !(0..1_000_000_000).contains(&time.nanos) {
        return Err(NotATimestamp);
    }
    time.seconds
        .checked_mul(MILLIS_PER_SECOND)
        .and_then(|millis| millis.checked_add((time.nanos / NANOS_PER_MILLI).into()))
        .ok_or(NotATimestamp)
        .and_then(Timestamp::from_millis)
}

/// Parses a required time.
pub(super) fn required_time(present: Option<prost_types::Timestamp>) -> Result<Timestamp, String> {
    let present = present.ok_or("must be set")?;
    time(present).map_err(|error| error.to_string())
}

/// Parses a time that may be absent.
pub(super) fn optional_time(
    present: Option<prost_types::Timestamp>,
) -> Result<Option<Timestamp>, NotATimestamp> {
    present.map(time).transpose()
}

/// Parses a time that the request may send but not change.
pub(super) fn sent_time(present: Option<prost_types::Timestamp>) -> Sent<Timestamp> {
    present.map_or(Sent::Absent, |present| Sent::parse(time(present)))
}

/// Returns the named values, each once and in the order of `all`.
pub(super) fn choices<T: Copy>(
    named: &[i32],
    all: &[T],
    number: impl Fn(T) -> i32,
) -> Result<Vec<T>, &'static str> {
    let known = |named: &i32| all.iter().any(|&one| number(one) == *named);
    if !named.iter().all(known) {
        return Err("must hold only values that the contract names, and not UNSPECIFIED");
    }
    let is_named = |one: &T| named.contains(&number(*one));
    Ok(all.iter().copied().filter(is_named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64, nanos: i32) -> prost_types::Timestamp {
        prost_types::Timestamp { seconds, nanos }
    }

    #[test]
    fn whole_milliseconds_are_kept_and_finer_parts_are_cut_off() {
        let millis = time(at(1, 2_999_999)).map(Timestamp::as_millis);
        assert_eq!(millis, Ok(1_002));
    }

    #[test]
    fn a_time_before_1970_or_after_9999_is_refused() {
        assert!(time(at(0, 0)).is_ok());
        assert!(time(at(253_402_300_799, 999_999_999)).is_ok());
        for (seconds, nanos) in [
            (-1, 999_999_999),
            (253_402_300_800, 0),
            (i64::MAX, 0),
            (i64::MIN, 0),
            (0, -1),
            (0, 1_000_000_000),
        ] {
            assert!(time(at(seconds, nanos)).is_err(), "{seconds} {nanos}");
        }
    }

    #[test]
    fn an_empty_request_id_becomes_a_random_one() {
        assert_ne!(request_id(""), request_id(""));
        assert!(request_id("").is_ok());
        assert!(request_id("7").is_err());
    }

    #[test]
    fn a_country_is_empty_or_assigned() {
        assert_eq!(country(""), Ok(None));
        assert!(country("CH").is_ok_and(|country| country.is_some()));
        assert!(country("XX").is_err());
    }

    #[test]
    fn a_chosen_id_is_absent_empty_or_valid() {
        assert_eq!(chosen_id(None), Ok(None));
        assert_eq!(chosen_id(Some(String::new())), Ok(None));
        assert!(chosen_id(Some("Spring Cup".to_owned())).is_err());
    }

    #[test]
    fn a_choice_named_twice_counts_once_and_an_unknown_one_is_refused() {
        let choose = |named: &[i32]| choices(named, &[1, 2, 3], |one| one);
        assert_eq!(choose(&[3, 1, 3]), Ok(vec![1, 3]));
        assert!(choose(&[1, 0]).is_err());
        assert!(choose(&[4]).is_err());
    }
}
