//! Attempts to give the password of an account, and how many may fail.
//!
//! An attempt is reserved before the password is checked, in one script, so that attempts at the
//! same time stay within the limits. Each counts in a window of 15 minutes and in a day:
//!
//! - A sign-in counts under its network, a confirmation by a signed-in person under the session.
//!   Neither affects the other, so that the failures of strangers never hinder a session.
//! - A network that the person signed in from before has a day of its own, and so has a session.
//!   All other networks share one day. So strangers cannot lock the person out at home.
//!
//! Per year this allows at most 36,500 guesses for all other networks together, and 36,500 for each
//! known network and for each session.

use std::net::IpAddr;
use std::time::Duration;

use domain::Rejection;

use super::PasswordHash;
use crate::error::Result;
use crate::keys::AccountId;
use crate::redis::Redis;
use crate::scripts::release_attempt::ReleaseAttempt;
use crate::scripts::reserve_attempt::{
    AttemptBy, AttemptLimits, ReserveAttempt, ReserveAttemptReply,
};

/// How many attempts of a network or a session may fail within [`ATTEMPT_WINDOW`].
pub const MAX_FAILED_ATTEMPTS: u32 = 10;
/// Begins with the first failed attempt.
pub const ATTEMPT_WINDOW: Duration = Duration::from_secs(15 * 60);
/// How many attempts may fail within [`ATTEMPT_DAY`].
pub const MAX_FAILED_ATTEMPTS_A_DAY: u32 = 100;
/// Begins with the first failed attempt.
pub const ATTEMPT_DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a network is known after a sign-in from it.
pub const NETWORK_LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);

const LIMITS: AttemptLimits = AttemptLimits {
    in_window: MAX_FAILED_ATTEMPTS,
    window: ATTEMPT_WINDOW,
    in_day: MAX_FAILED_ATTEMPTS_A_DAY,
    day: ATTEMPT_DAY,
};

/// Where a sign-in comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    pub(super) network: IpAddr,
    /// Refuses the sign-in with this delay unless the person signed in from the network before.
    pub(super) blocked_for: Option<Duration>,
}

impl Origin {
    /// A sign-in from a network, named by its first address.
    #[must_use]
    pub fn network(network: IpAddr) -> Self {
        Self {
            network,
            blocked_for: None,
        }
    }

    /// A sign-in from a network that is blocked for those who have not signed in from it before.
    #[must_use]
    pub fn blocked_network(network: IpAddr, retry_after: Duration) -> Self {
        Self {
            network,
            blocked_for: Some(retry_after),
        }
    }
}

/// A reserved attempt. It counts as failed unless it is taken back.
#[derive(Debug, Clone)]
pub struct Reservation {
    pub(crate) key: String,
    /// The network or the session.
    pub(crate) by: String,
    pub(crate) window_end: String,
    pub(crate) day: String,
    pub(crate) day_end: String,
}

/// A reserved attempt, and what the account has stored.
pub(super) struct Reserved {
    pub(super) reservation: Reservation,
    pub(super) credential: Option<PasswordHash>,
    pub(super) email: Option<String>,
}

/// Reserves an attempt. Fails with `TooManySignIns`.
pub(super) async fn reserve(
    redis: &Redis,
    account: &AccountId,
    by: AttemptBy<'_>,
) -> Result<Reserved> {
    let script = ReserveAttempt {
        account,
        by,
        limits: LIMITS,
        known_for: NETWORK_LIFETIME,
    };
    match redis.run(&script).await? {
        ReserveAttemptReply::Reserved {
            window_end,
            day,
            day_end,
            credential,
            email,
        } => Ok(Reserved {
            reservation: Reservation {
                key: by.counted_in().of(account),
                by: by.name().to_owned(),
                window_end,
                day,
                day_end,
            },
            credential: credential.map(PasswordHash::new),
            email,
        }),
        ReserveAttemptReply::Refused { retry_after } => {
            Err(Rejection::TooManySignIns { retry_after }.into())
        }
    }
}

/// Takes an attempt back.
pub(super) async fn release(redis: &Redis, reservation: &Reservation) -> Result<()> {
    redis.run(&ReleaseAttempt(reservation)).await
}
