use deadpool_redis::redis::Value;
use domain::AdminId;

use super::{Call, Script, source};
use crate::error::Result;
use crate::keys;
use crate::redis::{Effect, ReplyReader};

pub(crate) struct ResignOwner<'a> {
    pub(crate) admin: &'a AdminId,
    /// Whether the profile says that the admin is an owner and not disabled.
    pub(crate) is_owner: bool,
}

pub(crate) enum ResignOwnerReply {
    Resigned,
    /// No other owner would be left.
    LastOwner,
}

impl Script for ResignOwner<'_> {
    type Reply = ResignOwnerReply;

    const EFFECT: Effect = Effect::Prepare;

    source!("resign_owner.lua" after []);

    fn call(&self) -> Call {
        Call::new(Self::source(), &[keys::OWNERS])
            .arg(self.admin.as_str())
            .arg(if self.is_owner { "owner" } else { "" })
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let reply = ReplyReader::new(reply)?;
        Ok(match reply.word() {
            "resigned" => ResignOwnerReply::Resigned,
            "last_owner" => ResignOwnerReply::LastOwner,
            _ => return Err(reply.unexpected()),
        })
    }
}
