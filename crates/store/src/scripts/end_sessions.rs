use deadpool_redis::redis::Value;
use domain::TokenHash;

use super::{Call, Script, source};
use crate::error::Result;
use crate::keys::{AccountId, AccountKey};
use crate::redis::{Effect, ReplyReader};

pub(crate) struct EndSessions<'a> {
    pub(crate) account: &'a AccountId,
    /// The session to end; `None` = all sessions.
    pub(crate) token: Option<TokenHash>,
}

impl Script for EndSessions<'_> {
    type Reply = ();

    const EFFECT: Effect = Effect::Decide;

    source!("end_sessions.lua" after [SHARED_PRELUDE, ACCOUNT_PRELUDE]);

    fn call(&self) -> Call {
        let keys = [
            AccountKey::Sessions.of(self.account),
            AccountKey::Log.of(self.account),
        ];
        let token = self.token.map(|token| token.to_string());
        Call::new(Self::source(), &keys).arg(token.unwrap_or_default())
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        ReplyReader::new(reply)?.expect_word("ended")
    }
}
