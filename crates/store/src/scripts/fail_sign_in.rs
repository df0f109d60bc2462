use std::time::Duration;

use deadpool_redis::redis::Value;

use super::{Call, Script, millis, source};
use crate::error::Result;
use crate::keys::{AccountId, AccountKey};
use crate::redis::{Effect, ReplyReader};

pub(crate) struct FailSignIn<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) window: Duration,
}

impl Script for FailSignIn<'_> {
    type Reply = ();

    const EFFECT: Effect = Effect::Prepare;

    source!("fail_sign_in.lua" after [SHARED_PRELUDE, ACCOUNT_PRELUDE]);

    fn call(&self) -> Call {
        Call::new(Self::source(), &[AccountKey::Throttle.of(self.account)]).arg(millis(self.window))
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        ReplyReader::new(reply)?.expect_word("counted")
    }
}
