use deadpool_redis::redis::Value;

use super::{Call, Script, source};
use crate::error::Result;
use crate::redis::{Effect, ReplyReader};

pub(crate) struct ReleaseEmail<'a> {
    /// The key of the claim.
    pub(crate) claim: &'a str,
    /// The claim as it was read. A confirmed claim is the id of its account.
    pub(crate) value: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReleaseEmailReply {
    Released,
    /// The claim has another value.
    Kept,
}

impl Script for ReleaseEmail<'_> {
    type Reply = ReleaseEmailReply;

    const EFFECT: Effect = Effect::Prepare;

    source!("release_email.lua" after []);

    fn call(&self) -> Call {
        Call::new(Self::source(), &[self.claim]).arg(self.value)
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let reply = ReplyReader::new(reply)?;
        Ok(match reply.word() {
            "released" => ReleaseEmailReply::Released,
            "kept" => ReleaseEmailReply::Kept,
            _ => return Err(reply.unexpected()),
        })
    }
}
