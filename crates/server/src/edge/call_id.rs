//! The id of one call, in the header `x-request-id`: taken from the client or made, answered, and in
//! every log line and every error. Not to be taken for [`domain::RequestId`], which names an intention
//! and stays the same when a call is repeated.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// Where the id travels.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a call: 1 to 64 characters of `A-Z`, `a-z`, `0-9`, `.`, `_` and `-`.
#[derive(Debug, Clone)]
pub(crate) enum CallId {
    /// What the client sent.
    Taken(HeaderValue),
    /// A UUID, version 4.
    Made(Uuid),
}

impl CallId {
    /// The client's id if it sent a good one, otherwise a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match headers.get(HEADER) {
            Some(id) if is_good(id.as_bytes()) => Self::Taken(id.clone()),
            _ => Self::Made(make()),
        }
    }

    /// Runs `read` with the id as text; the buffer lives on the stack.
    pub(crate) fn with_str<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        match self {
            Self::Taken(id) => read(id.to_str().unwrap_or_default()),
            Self::Made(uuid) => read(
                uuid.as_hyphenated()
                    .encode_lower(&mut [0; Hyphenated::LENGTH]),
            ),
        }
    }

    /// The id as the answer's header. It is marked as sensitive, so that HTTP/2 does not keep it in the
    /// connection's table of headers: an id never comes twice, and each would be compared with all that
    /// are in the table.
    pub(crate) fn to_header(&self) -> HeaderValue {
        let header = match self {
            Self::Taken(id) => Ok(id.clone()),
            Self::Made(_) => self.with_str(HeaderValue::from_str),
        };
        let mut header = header.unwrap_or(HeaderValue::from_static(""));
        header.set_sensitive(true);
        header
    }
}

fn is_good(id: &[u8]) -> bool {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=64).contains(&id.len()) && id.iter().all(allowed)
}

/// 122 bits that do not repeat and that nobody can guess who does not know the process's keys: a
/// counter through keyed hashes. Asking the system for random bytes would cost a system call per call.
fn make() -> Uuid {
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
    fn a_good_id_is_taken_as_it_is() {
        for good in ["a", "Req-1_2.3", &"x".repeat(64)] {
            assert_eq!(text(&CallId::of(&headers(good))), good);
        }
    }

    #[test]
    fn a_missing_or_odd_id_is_replaced_by_a_uuid() {
        for odd in ["", "a b", "a/b", "\"", &"x".repeat(65)] {
            assert!(
                Uuid::try_parse(&text(&CallId::of(&headers(odd)))).is_ok(),
                "{odd}"
            );
        }
        let made = CallId::of(&HeaderMap::new());
        let uuid = Uuid::try_parse(&text(&made)).expect("a UUID");
        assert_eq!(uuid.get_version_num(), 4);
        assert_eq!(made.to_header(), text(&made));
    }

    #[test]
    fn made_ids_differ() {
        let ids: HashSet<Uuid> = (0..10_000).map(|_| make()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
