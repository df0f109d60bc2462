use deadpool_redis::redis::Value;

use super::{Call, Script, source};
use crate::accounts::Reservation;
use crate::error::Result;
use crate::redis::{Effect, ReplyReader};

pub(crate) struct ReleaseAttempt<'a>(pub(crate) &'a Reservation);

impl Script for ReleaseAttempt<'_> {
    type Reply = ();

    const EFFECT: Effect = Effect::Prepare;

    source!("release_attempt.lua" after [SHARED_PRELUDE, ACCOUNT_PRELUDE, ATTEMPTS_PRELUDE]);

    fn call(&self) -> Call {
        Call::new(Self::source(), &[&self.0.key])
            .arg(&self.0.by)
            .arg(&self.0.window_end)
            .arg(&self.0.day)
            .arg(&self.0.day_end)
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        ReplyReader::new(reply)?.expect_word("released")
    }
}
