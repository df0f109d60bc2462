use deadpool_redis::redis::Value;
use domain::{RequestId, TokenHash};

use super::{Call, Script, source};
use crate::accounts::PasswordHash;
use crate::error::Result;
use crate::keys::{self, AccountId, AccountKey};
use crate::redis::{Effect, ReplyReader};

pub(crate) struct ChangePassword<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) request: RequestId,
    /// The hash that the old password was checked against.
    pub(crate) checked: &'a PasswordHash,
    pub(crate) new: &'a PasswordHash,
    /// The session that does not end.
    pub(crate) kept: TokenHash,
}

pub(crate) enum ChangePasswordReply {
    Changed,
    /// The password is not the one that was checked.
    Refused,
    RequestIdReused,
}

impl Script for ChangePassword<'_> {
    type Reply = ChangePasswordReply;

    const EFFECT: Effect = Effect::Decide;

    source!("change_password.lua" after [SHARED_PRELUDE, ACCOUNT_PRELUDE]);

    fn call(&self) -> Call {
        let keys = [
            AccountKey::Credential.of(self.account),
            AccountKey::Sessions.of(self.account),
            AccountKey::Log.of(self.account),
            keys::account_request(self.account, self.request),
        ];
        Call::new(Self::source(), &keys)
            .arg(self.request.to_string())
            .arg(self.checked.as_str())
            .arg(self.new.as_str())
            .arg(self.kept.to_string())
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let reply = ReplyReader::new(reply)?;
        Ok(match reply.word() {
            "changed" => ChangePasswordReply::Changed,
            "refused" => ChangePasswordReply::Refused,
            "request_id_reused" => ChangePasswordReply::RequestIdReused,
            _ => return Err(reply.unexpected()),
        })
    }
}
