//! How long a call may take: what the client says in `grpc-timeout`, at most what the server allows.

use std::time::Duration;

use http::HeaderMap;

use crate::errors::Failure;

const HEADER: &str = "grpc-timeout";

/// The answer has to reach the client before it gives up by itself, or nobody reads its `outcome`; so
/// a twentieth of the client's time is left for the way back, at most this much.
const MAX_WAY_BACK: Duration = Duration::from_millis(20);

/// The time that this call has, at most `max`.
pub(super) fn of(headers: &HeaderMap, max: Duration) -> Result<Duration, Failure> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(max);
    };
    parse(value.as_bytes())
        .map(|timeout| {
            timeout
                .saturating_sub((timeout / 20).min(MAX_WAY_BACK))
                .min(max)
        })
        .ok_or_else(|| {
            Failure::Malformed(
                "grpc-timeout must be 1 to 8 digits and one of H, M, S, m, u, n".into(),
            )
        })
}

/// The grammar of gRPC over HTTP/2: 1 to 8 digits, then hours, minutes, seconds, milliseconds,
/// microseconds or nanoseconds.
fn parse(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let amount = digits
        .iter()
        .fold(0, |amount, digit| amount * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Some(Duration::from_secs(amount * 60 * 60)),
        b'M' => Some(Duration::from_secs(amount * 60)),
        b'S' => Some(Duration::from_secs(amount)),
        b'm' => Some(Duration::from_millis(amount)),
        b'u' => Some(Duration::from_micros(amount)),
        b'n' => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const MAX: Duration = Duration::from_secs(30);

    #[test]
    fn the_grammar_is_up_to_8_digits_and_a_unit() {
        for (good, expected) in [
            ("1H", Duration::from_secs(3600)),
            ("2M", Duration::from_secs(120)),
            ("3S", Duration::from_secs(3)),
            ("4m", Duration::from_millis(4)),
            ("5u", Duration::from_micros(5)),
            ("6n", Duration::from_nanos(6)),
            ("0S", Duration::ZERO),
            ("00000001S", Duration::from_secs(1)),
            ("99999999H", Duration::from_secs(99_999_999 * 3600)),
        ] {
            assert_eq!(parse(good.as_bytes()), Some(expected), "{good}");
        }
        for bad in [
            "",
            "S",
            "1",
            "123456789S",
            "1s",
            "-1S",
            "+1S",
            "1.5S",
            "1 S",
            " 1S",
            "1SS",
        ] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn the_server_caps_what_the_client_says() {
        let of = |value| {
            of(
                &HeaderMap::from_iter([(
                    http::HeaderName::from_static(HEADER),
                    HeaderValue::from_static(value),
                )]),
                MAX,
            )
        };
        assert!(matches!(of("5S"), Ok(time) if time == Duration::from_millis(4980)));
        assert!(matches!(of("100m"), Ok(time) if time == Duration::from_millis(95)));
        assert!(matches!(of("0m"), Ok(time) if time.is_zero()));
        assert!(matches!(of("1H"), Ok(time) if time == MAX));
        assert!(matches!(of("soon"), Err(Failure::Malformed(_))));
        assert!(matches!(super::of(&HeaderMap::new(), MAX), Ok(time) if time == MAX));
    }
}
