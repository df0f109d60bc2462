use std::time::Duration;

use deadpool_redis::redis::Value;
use domain::{Timestamp, TokenHash};

use super::{Call, Script, millis, source};
use crate::accounts::{PasswordHash, Reservation};
use crate::error::Result;
use crate::keys::{AccountId, AccountKey};
use crate::redis::{Effect, ReplyReader};

pub(crate) struct OpenSession<'a> {
    pub(crate) account: &'a AccountId,
    /// The hash that the password was checked against.
    pub(crate) checked: &'a PasswordHash,
    pub(crate) token: TokenHash,
    pub(crate) lifetime: Duration,
    /// The attempt that gave the right password.
    pub(crate) attempt: &'a Reservation,
    /// How long the network is known from now on.
    pub(crate) known_for: Duration,
}

pub(crate) enum OpenSessionReply {
    Opened {
        expires_at: Timestamp,
    },
    /// The password was changed, or the account disabled or erased, since the password was checked.
    Refused,
}

impl Script for OpenSession<'_> {
    type Reply = OpenSessionReply;

    const EFFECT: Effect = Effect::Decide;

    source!("open_session.lua" after [SHARED_PRELUDE, ACCOUNT_PRELUDE, ATTEMPTS_PRELUDE]);

    fn call(&self) -> Call {
        let keys = [
            AccountKey::Profile.of(self.account),
            AccountKey::Credential.of(self.account),
            AccountKey::Sessions.of(self.account),
            AccountKey::Failures.of(self.account),
            AccountKey::Networks.of(self.account),
            AccountKey::Log.of(self.account),
        ];
        Call::new(Self::source(), &keys)
            .arg(self.checked.as_str())
            .arg(self.token.to_string())
            .arg(millis(self.lifetime))
            .arg(&self.attempt.by)
            .arg(&self.attempt.day)
            .arg(&self.attempt.day_end)
            .arg(millis(self.known_for))
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let mut reply = ReplyReader::new(reply)?;
        Ok(match reply.word() {
            "opened" => OpenSessionReply::Opened {
                expires_at: reply.timestamp()?,
            },
            "refused" => OpenSessionReply::Refused,
            _ => return Err(reply.unexpected()),
        })
    }
}
