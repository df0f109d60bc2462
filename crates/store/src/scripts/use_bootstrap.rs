use deadpool_redis::redis::Value;
use domain::{RequestId, TokenHash};

use super::{Call, Script, source};
use crate::error::Result;
use crate::keys;
use crate::redis::{Effect, ReplyReader};

pub(crate) struct UseBootstrap {
    pub(crate) token: TokenHash,
    pub(crate) request: RequestId,
}

pub(crate) enum UseBootstrapReply {
    Spent,
    /// The token was spent on this request before.
    Repeated,
    /// The token is not valid, or was spent on another request.
    Refused,
}

impl Script for UseBootstrap {
    type Reply = UseBootstrapReply;

    const EFFECT: Effect = Effect::Decide;

    source!("use_bootstrap.lua" after []);

    fn call(&self) -> Call {
        Call::new(Self::source(), &[keys::BOOTSTRAP])
            .arg(self.token.to_string())
            .arg(self.request.to_string())
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let reply = ReplyReader::new(reply)?;
        Ok(match reply.word() {
            "spent" => UseBootstrapReply::Spent,
            "repeated" => UseBootstrapReply::Repeated,
            "refused" => UseBootstrapReply::Refused,
            _ => return Err(reply.unexpected()),
        })
    }
}
