use deadpool_redis::redis::Value;

use super::{Call, Script, source};
use crate::accounts::PasswordHash;
use crate::error::Result;
use crate::keys::{AccountId, AccountKey};
use crate::redis::{Effect, ReplyReader};

pub(crate) struct RenewHash<'a> {
    pub(crate) account: &'a AccountId,
    /// The hash that the password was checked against.
    pub(crate) checked: &'a PasswordHash,
    pub(crate) new: &'a PasswordHash,
}

impl Script for RenewHash<'_> {
    type Reply = ();

    const EFFECT: Effect = Effect::Prepare;

    source!("renew_hash.lua" after []);

    fn call(&self) -> Call {
        Call::new(Self::source(), &[AccountKey::Credential.of(self.account)])
            .arg(self.checked.as_str())
            .arg(self.new.as_str())
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let reply = ReplyReader::new(reply)?;
        match reply.word() {
            "changed" | "refused" => Ok(()),
            _ => Err(reply.unexpected()),
        }
    }
}
