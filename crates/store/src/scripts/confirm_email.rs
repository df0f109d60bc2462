use deadpool_redis::redis::Value;

use super::{Call, Script, source};
use crate::error::Result;
use crate::redis::{Effect, ReplyReader};

pub(crate) struct ConfirmEmail<'a> {
    /// The key of the claim.
    pub(crate) claim: &'a str,
    pub(crate) account: &'a str,
}

pub(crate) enum ConfirmEmailReply {
    Confirmed,
    /// The claim has expired, and another account may have claimed the address.
    Lost,
}

impl Script for ConfirmEmail<'_> {
    type Reply = ConfirmEmailReply;

    const EFFECT: Effect = Effect::Decide;

    source!("confirm_email.lua" after [EMAIL_CLAIM_PRELUDE]);

    fn call(&self) -> Call {
        Call::new(Self::source(), &[self.claim]).arg(self.account)
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let reply = ReplyReader::new(reply)?;
        Ok(match reply.word() {
            "confirmed" => ConfirmEmailReply::Confirmed,
            "lost" => ConfirmEmailReply::Lost,
            _ => return Err(reply.unexpected()),
        })
    }
}
