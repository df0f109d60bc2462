//! The time that a call may take: the client's `grpc-timeout`, limited by the server.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use http::HeaderMap;
use tokio::time::{Instant, sleep_until};

use crate::errors::Failure;

const HEADER: &str = "grpc-timeout";

/// The most time that is reserved for sending the error. It has to reach the client before the
/// client gives up by itself, or nobody reads its `outcome`. A twentieth of the client's time is
/// reserved.
const MAX_RESERVE: Duration = Duration::from_millis(20);

/// The resolution of tokio's timers. A call with less time would begin and could not be ended in
/// time.
const MIN_TIMEOUT: Duration = Duration::from_millis(1);

/// Returns the time for this call, at most `max`. Fails if the deadline has passed.
pub(super) fn time_for_call(headers: &HeaderMap, max: Duration) -> Result<Duration, Failure> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(max);
    };
    let timeout = parse(value.as_bytes()).ok_or_else(|| {
        let sentence = "grpc-timeout must be 1 to 8 digits and one of H, M, S, m, u, n";
        Failure::Malformed(sentence.to_owned())
    })?;
    if timeout < MIN_TIMEOUT {
        return Err(Failure::DeadlineExceeded);
    }
    let reserve = (timeout / 20).min(MAX_RESERVE);
    Ok(timeout.saturating_sub(reserve).min(max))
}

/// Runs a call until its deadline. Looks at the clock before each step of the call, because a timer
/// of a busy process fires late, and the next step could send a command to Redis.
pub(super) async fn until<F: Future>(ends_at: Instant, call: F) -> Result<F::Output, Failure> {
    let mut call = pin!(call);
    let mut timer = pin!(sleep_until(ends_at));
    poll_fn(|cx| {
        if Instant::now() >= ends_at {
            return Poll::Ready(Err(Failure::DeadlineExceeded));
        }
        match call.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => timer
                .as_mut()
                .poll(cx)
                .map(|()| Err(Failure::DeadlineExceeded)),
        }
    })
    .await
}

/// Parses a timeout as gRPC over HTTP/2 defines it: 1 to 8 digits, then a unit from hours to
/// nanoseconds.
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
        for (valid, expected) in [
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
            assert_eq!(parse(valid.as_bytes()), Some(expected), "{valid}");
        }
        for invalid in [
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
            assert_eq!(parse(invalid.as_bytes()), None, "{invalid}");
        }
    }

    #[test]
    fn the_time_is_limited_and_leaves_a_reserve() {
        let time = |value| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_static(value));
            time_for_call(&headers, MAX)
        };
        assert!(matches!(time("5S"), Ok(time) if time == Duration::from_millis(4980)));
        assert!(matches!(time("100m"), Ok(time) if time == Duration::from_millis(95)));
        assert!(matches!(time("1m"), Ok(time) if time == Duration::from_micros(950)));
        for passed in ["0S", "0m", "1u", "999u", "1n", "999999n"] {
            let time = time(passed);
            assert!(matches!(time, Err(Failure::DeadlineExceeded)), "{passed}");
        }
        assert!(matches!(time("1H"), Ok(time) if time == MAX));
        assert!(matches!(time("soon"), Err(Failure::Malformed(_))));
        assert!(matches!(time_for_call(&HeaderMap::new(), MAX), Ok(time) if time == MAX));
    }
}
