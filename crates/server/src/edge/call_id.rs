//! The id of one call, in the header `x-request-id`. The client sends it or the server generates
//! it; the response, the log line and the error carry it. [`domain::RequestId`] is something else:
//! it names an intention and stays the same when a call is repeated.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::response::hold;
use crate::admission::Place;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a call: 1 to 64 characters of `A-Z`, `a-z`, `0-9`, `.`, `_` and `-`.
#[derive(Debug, Clone)]
pub(crate) enum CallId {
    Received(HeaderValue),
    /// A UUID, version 4.
    Generated(Uuid),
}

impl CallId {
    /// Returns the client's id if it is valid, otherwise a new one.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        match headers.get(HEADER) {
            Some(id) if is_valid(id.as_bytes()) => Self::Received(id.clone()),
            _ => Self::Generated(generate()),
        }
    }

    /// Calls `read` with the id as text, without an allocation.
    pub(crate) fn with_str<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        match self {
            Self::Received(id) => read(id.to_str().unwrap_or_default()),
            Self::Generated(uuid) => read(
                uuid.as_hyphenated()
                    .encode_lower(&mut [0; Hyphenated::LENGTH]),
            ),
        }
    }

    /// Returns the header of the response, which holds the place, if there is one, until it has been
    /// written to the socket.
    ///
    /// It is marked as sensitive, so that HPACK does not put it into the connection's table of
    /// headers, which would keep the place. No id occurs twice, and each would be compared with all
    /// entries of the table.
    pub(crate) fn to_header(&self, place: Option<Place>) -> HeaderValue {
        let header = match (self, place) {
            (Self::Received(id), None) => Ok(id.clone()),
            (Self::Received(id), Some(place)) => {
                HeaderValue::from_maybe_shared(hold(id.clone(), place))
            }
            (Self::Generated(uuid), place) => {
                let mut id = [0; Hyphenated::LENGTH];
                uuid.as_hyphenated().encode_lower(&mut id);
                match place {
                    Some(place) => HeaderValue::from_maybe_shared(hold(id, place)),
                    None => HeaderValue::from_bytes(&id),
                }
            }
        };
        let mut header = header.unwrap_or(HeaderValue::from_static(""));
        header.set_sensitive(true);
        header
    }
}

fn is_valid(id: &[u8]) -> bool {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=64).contains(&id.len()) && id.iter().all(allowed)
}

fn generate() -> Uuid {
    // A counter through hashes with random keys: unique, and unpredictable without the keys of this
    // process. Random bytes of the operating system would cost a system call per call.
    static KEYS: LazyLock<(RandomState, RandomState)> = LazyLock::new(Default::default);
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let n = COUNTER.fetch_add(1, Ordering::Relaxed);
    let bits = Uuid::from_u64_pair(KEYS.0.hash_one(n), KEYS.1.hash_one(n));
    uuid::Builder::from_random_bytes(*bits.as_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn headers(id: &str) -> HeaderMap {
        HeaderMap::from_iter([(HEADER, HeaderValue::from_str(id).expect("a header"))])
    }

    fn text(id: &CallId) -> String {
        id.with_str(str::to_owned)
    }

    #[test]
    fn a_valid_id_is_used_unchanged() {
        for valid in ["a", "Req-1_2.3", &"x".repeat(64)] {
            assert_eq!(text(&CallId::from_headers(&headers(valid))), valid);
        }
    }

    #[test]
    fn a_missing_or_invalid_id_is_replaced_by_a_uuid() {
        for invalid in ["", "a b", "a/b", "\"", &"x".repeat(65)] {
            assert!(
                Uuid::try_parse(&text(&CallId::from_headers(&headers(invalid)))).is_ok(),
                "{invalid}"
            );
        }
        let generated = CallId::from_headers(&HeaderMap::new());
        let uuid = Uuid::try_parse(&text(&generated)).expect("a UUID");
        assert_eq!(uuid.get_version_num(), 4);
        assert_eq!(generated.to_header(None), text(&generated));
    }

    #[test]
    fn generated_ids_differ() {
        let ids: HashSet<Uuid> = (0..10_000).map(|_| generate()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
