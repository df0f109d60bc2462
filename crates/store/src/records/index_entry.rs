//! The value of an entry in a user's index, `<nonce>:<milliseconds>`. The nonce is a new one each
//! time, so that an entry can be deleted safely by its value.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use data_encoding::BASE32_DNSSEC;
use domain::Timestamp;

use crate::error::{Error, Result};

/// How long an entry may belong to a call that is not finished yet. Far more than the 30 s after
/// which Redis refuses a write.
pub const INDEX_ENTRY_GRACE: Duration = Duration::from_secs(10 * 60);

/// Prints a value that is written now.
pub(crate) fn new_value(now: Timestamp) -> String {
    format!("{}:{}", nonce(), now.as_millis())
}

/// Parses the time at which a value was written.
pub fn written_at(value: &str) -> Result<Timestamp> {
    let millis = value
        .split_once(':')
        .and_then(|(_, millis)| millis.parse().ok());
    millis
        .and_then(|millis| Timestamp::from_millis(millis).ok())
        .ok_or_else(|| Error::unreadable("an entry of an index"))
}

/// 40 bits of a counter that starts at a random number in each process. Random bits from the system
/// would cost a system call for each registration.
fn nonce() -> String {
    static NEXT: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(RandomState::new().hash_one(())));
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    BASE32_DNSSEC.encode(&number.to_be_bytes()[3..])
}
