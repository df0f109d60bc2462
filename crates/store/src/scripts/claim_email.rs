use deadpool_redis::redis::Value;

use super::{Call, Script, source};
use crate::error::Result;
use crate::redis::{Effect, ReplyReader};

pub(crate) struct ClaimEmail<'a> {
    /// The key of the claim.
    pub(crate) claim: &'a str,
    pub(crate) account: &'a str,
    pub(crate) nonce: &'a str,
}

pub(crate) enum ClaimEmailReply {
    Claimed,
    /// This account has the address already.
    Owned,
    /// Another account has the address.
    Taken {
        owner: String,
    },
    /// Another account is being created with the address.
    Pending,
}

impl Script for ClaimEmail<'_> {
    type Reply = ClaimEmailReply;

    const EFFECT: Effect = Effect::Prepare;

    source!("claim_email.lua" after [EMAIL_CLAIM_PRELUDE]);

    fn call(&self) -> Call {
        Call::new(Self::source(), &[self.claim])
            .arg(self.account)
            .arg(self.nonce)
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let mut reply = ReplyReader::new(reply)?;
        Ok(match reply.word() {
            "claimed" => ClaimEmailReply::Claimed,
            "owned" => ClaimEmailReply::Owned,
            "taken" => ClaimEmailReply::Taken {
                owner: reply.text()?,
            },
            "pending" => ClaimEmailReply::Pending,
            _ => return Err(reply.unexpected()),
        })
    }
}
