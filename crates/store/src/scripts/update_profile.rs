use deadpool_redis::redis::Value;
use domain::RequestId;

use super::{Call, Script, source};
use crate::error::Result;
use crate::keys::{self, AccountId, AccountKey};
use crate::records::Fields;
use crate::redis::{Effect, ReplyReader};

pub(crate) struct UpdateProfile<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) request: RequestId,
    pub(crate) fingerprint: &'a str,
    /// The version that was read.
    pub(crate) version: u64,
    pub(crate) profile: &'a [(&'static str, String)],
}

pub(crate) enum UpdateProfileReply {
    /// The fields of the whole profile.
    Changed(Fields),
    /// The profile has another version than the one that was read.
    OldVersion,
    /// There is no such account.
    Absent,
    RequestIdReused,
}

impl Script for UpdateProfile<'_> {
    type Reply = UpdateProfileReply;

    const EFFECT: Effect = Effect::Decide;

    source!("update_profile.lua" after [SHARED_PRELUDE, ACCOUNT_PRELUDE]);

    fn call(&self) -> Call {
        let keys = [
            AccountKey::Profile.of(self.account),
            AccountKey::Log.of(self.account),
            keys::account_request(self.account, self.request),
        ];
        let call = Call::new(Self::source(), &keys)
            .arg(self.request.to_string())
            .arg(self.fingerprint)
            .arg(self.version);
        let fields = self.profile.iter();
        fields.fold(call, |call, (name, value)| call.arg(*name).arg(value))
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let reply = ReplyReader::new(reply)?;
        Ok(match reply.word() {
            "changed" => UpdateProfileReply::Changed(reply.into_fields()),
            "old_version" => UpdateProfileReply::OldVersion,
            "absent" => UpdateProfileReply::Absent,
            "request_id_reused" => UpdateProfileReply::RequestIdReused,
            _ => return Err(reply.unexpected()),
        })
    }
}
