use std::time::Duration;

use deadpool_redis::redis::Value;

use super::{Call, Script, millis, source};
use crate::error::Result;
use crate::keys::{AccountId, AccountKey};
use crate::redis::{Effect, ReplyReader};

pub(crate) struct ReserveAttempt<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) by: AttemptBy<'a>,
    pub(crate) limits: AttemptLimits,
    /// How long a network is known after a sign-in from it.
    pub(crate) known_for: Duration,
}

/// Who tries.
#[derive(Clone, Copy)]
pub(crate) enum AttemptBy<'a> {
    /// A network, by its hash. `blocked_for`: refuse it for so long unless the account knows it.
    Network {
        hash: &'a str,
        blocked_for: Option<Duration>,
    },
    /// A session, by the hash of its token.
    Session { token: &'a str },
}

/// How many attempts may fail.
#[derive(Clone, Copy)]
pub(crate) struct AttemptLimits {
    pub(crate) in_window: u32,
    pub(crate) window: Duration,
    pub(crate) in_day: u32,
    pub(crate) day: Duration,
}

pub(crate) enum ReserveAttemptReply {
    Reserved {
        window_end: String,
        day: String,
        day_end: String,
        /// `None` if there is no such account.
        credential: Option<String>,
        email: Option<String>,
    },
    Refused {
        retry_after: Duration,
    },
}

impl<'a> AttemptBy<'a> {
    /// The key that counts the attempts.
    pub(crate) fn counted_in(self) -> AccountKey {
        match self {
            Self::Network { .. } => AccountKey::Failures,
            Self::Session { .. } => AccountKey::Confirmations,
        }
    }

    /// The name under which the attempts are counted.
    pub(crate) fn name(self) -> &'a str {
        match self {
            Self::Network { hash, .. } => hash,
            Self::Session { token } => token,
        }
    }
}

impl Script for ReserveAttempt<'_> {
    type Reply = ReserveAttemptReply;

    const EFFECT: Effect = Effect::Prepare;

    source!("reserve_attempt.lua" after [SHARED_PRELUDE, ACCOUNT_PRELUDE, ATTEMPTS_PRELUDE]);

    fn call(&self) -> Call {
        let keys = [
            self.by.counted_in().of(self.account),
            AccountKey::Networks.of(self.account),
            AccountKey::Credential.of(self.account),
            AccountKey::Profile.of(self.account),
        ];
        let (kind, blocked_for) = match self.by {
            AttemptBy::Network { blocked_for, .. } => ("network", blocked_for),
            AttemptBy::Session { .. } => ("session", None),
        };
        Call::new(Self::source(), &keys)
            .arg(self.by.name())
            .arg(kind)
            .arg(millis(blocked_for.unwrap_or_default()))
            .arg(self.limits.in_window)
            .arg(millis(self.limits.window))
            .arg(self.limits.in_day)
            .arg(millis(self.limits.day))
            .arg(millis(self.known_for))
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let mut reply = ReplyReader::new(reply)?;
        Ok(match reply.word() {
            "reserved" => ReserveAttemptReply::Reserved {
                window_end: reply.text()?,
                day: reply.text()?,
                day_end: reply.text()?,
                credential: reply.optional()?,
                email: reply.optional()?,
            },
            "refused" => ReserveAttemptReply::Refused {
                retry_after: Duration::from_millis(reply.number()?),
            },
            _ => return Err(reply.unexpected()),
        })
    }
}
