use deadpool_redis::redis::Value;
use domain::RequestId;

use super::{Call, Script, source};
use crate::error::Result;
use crate::keys::{self, AccountId, AccountKey};
use crate::records::Fields;
use crate::redis::{Effect, ReplyReader};

pub(crate) struct DisableAdmin<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) request: RequestId,
    pub(crate) fingerprint: &'a str,
}

pub(crate) enum DisableAdminReply {
    /// The fields of the whole profile.
    Changed(Fields),
    /// There is no such account.
    Absent,
    RequestIdReused,
}

impl Script for DisableAdmin<'_> {
    type Reply = DisableAdminReply;

    const EFFECT: Effect = Effect::Decide;

    source!("disable_admin.lua" after [SHARED_PRELUDE, ACCOUNT_PRELUDE]);

    fn call(&self) -> Call {
        let keys = [
            AccountKey::Profile.of(self.account),
            AccountKey::Sessions.of(self.account),
            AccountKey::Log.of(self.account),
            keys::account_request(self.account, self.request),
        ];
        Call::new(Self::source(), &keys)
            .arg(self.request.to_string())
            .arg(self.fingerprint)
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let reply = ReplyReader::new(reply)?;
        Ok(match reply.word() {
            "changed" => DisableAdminReply::Changed(reply.into_fields()),
            "absent" => DisableAdminReply::Absent,
            "request_id_reused" => DisableAdminReply::RequestIdReused,
            _ => return Err(reply.unexpected()),
        })
    }
}
