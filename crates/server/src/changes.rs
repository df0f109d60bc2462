//! The limit of changes per account, so that the data that one account can make stays small.
//!
//! Most changes append to a log that is kept, some 100 bytes each. With the default for users, an
//! account that changes something all year adds less than 50 MB: 600 registrations a day and as many
//! withdrawals, which are not limited.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use domain::Rejection;
use tokio::time::Instant;

use crate::auth::Caller;
use crate::errors::Failure;
use crate::rate_limit::RateLimit;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The changes of a day are those of so many minutes.
const MINUTES_PER_DAY: u32 = 10;

/// Whether the calls of a method count towards the limit of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// For a method that reads, and for one that protects people or frees something, such as
    /// `Withdraw` and `SignOut`. What the latter write is bounded by the changes that they undo.
    Unlimited,
    /// For a method that makes something. Each call counts, also one that is refused or repeated.
    Changes,
}

/// Limits the changes of each account, per minute and per day.
#[derive(Debug)]
pub(crate) struct ChangeLimit {
    /// Hashes the ids of accounts, so that the tables hold numbers.
    hasher: RandomState,
    per_minute: RateLimit<u64>,
    per_day: RateLimit<u64>,
}

impl ChangeLimit {
    /// Allows each account so many changes a minute, and ten times as many a day; 0 = no limit.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            hasher: RandomState::new(),
            per_minute: RateLimit::new(per_minute, MINUTE),
            per_day: RateLimit::new(per_minute.saturating_mul(MINUTES_PER_DAY), DAY),
        }
    }

    /// Counts a call. Fails with `TOO_MANY_CHANGES` and the time until the next one is allowed.
    pub(crate) fn count(&self, rate: Rate, caller: &Caller, now: Instant) -> Result<(), Failure> {
        if rate == Rate::Unlimited {
            return Ok(());
        }
        let account = self.hasher.hash_one(caller.id());
        self.per_minute
            .take(&account, now)
            .and_then(|()| self.per_day.take(&account, now))
            .map_err(|retry_after| Rejection::TooManyChanges { retry_after }.into())
    }
}

#[cfg(test)]
mod tests {
    use domain::{SessionToken, UserId};

    use super::*;
    use crate::auth::UserCaller;

    fn caller(name: &str) -> Caller {
        let id = UserId::parse(name).expect("an id");
        let session = SessionToken::of_user(&id, &[7; 32]);
        Caller::User(UserCaller { id, session })
    }

    fn wait(refused: Result<(), Failure>) -> Duration {
        match refused {
            Err(Failure::Rejected(rejected)) => match rejected.rejection {
                Rejection::TooManyChanges { retry_after } => retry_after,
                other => panic!("{other}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_account_is_limited_per_minute_and_per_day() {
        let limit = ChangeLimit::new(60);
        let (ada, mut now) = (caller("ada"), Instant::now());
        for _ in 0..MINUTES_PER_DAY {
            for _ in 0..60 {
                assert!(limit.count(Rate::Changes, &ada, now).is_ok());
            }
            let refused = limit.count(Rate::Changes, &ada, now);
            assert!(wait(refused) <= Duration::from_secs(1));
            now += MINUTE;
        }
        // Ten minutes have given back four of the day's 600 changes.
        for _ in 0..4 {
            assert!(limit.count(Rate::Changes, &ada, now).is_ok());
        }
        let retry_after = wait(limit.count(Rate::Changes, &ada, now));
        assert!(retry_after > MINUTE, "{retry_after:?}");
        assert!(limit.count(Rate::Unlimited, &ada, now).is_ok());
        assert!(limit.count(Rate::Changes, &caller("bob"), now).is_ok());
    }
}
