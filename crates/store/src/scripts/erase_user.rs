use deadpool_redis::redis::Value;
use domain::{CompetitionId, RequestId, TokenHash};

use super::{Call, Script, source};
use crate::accounts::PasswordHash;
use crate::error::Result;
use crate::keys::{AccountId, AccountKey};
use crate::redis::{Effect, ReplyReader};

pub(crate) struct EraseUser<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) request: RequestId,
    /// The hash that the password was checked against.
    pub(crate) checked: &'a PasswordHash,
    pub(crate) token: TokenHash,
    /// The entries of both indexes that the caller has seen.
    pub(crate) seen: Vec<(&'a CompetitionId, &'a str)>,
}

pub(crate) enum EraseUserReply {
    Erased,
    /// The password is not the one that was checked.
    Refused,
    /// The indexes have entries that the caller has not seen.
    More,
}

impl Script for EraseUser<'_> {
    type Reply = EraseUserReply;

    const EFFECT: Effect = Effect::Decide;

    source!("erase_user.lua" after [SHARED_PRELUDE, ACCOUNT_PRELUDE]);

    fn call(&self) -> Call {
        let keys = [
            AccountKey::Profile.of(self.account),
            AccountKey::Credential.of(self.account),
            AccountKey::Sessions.of(self.account),
            AccountKey::Competitions.of(self.account),
            AccountKey::Added.of(self.account),
            AccountKey::Log.of(self.account),
            AccountKey::Failures.of(self.account),
            AccountKey::Confirmations.of(self.account),
            AccountKey::Networks.of(self.account),
        ];
        let call = Call::new(Self::source(), &keys)
            .arg(self.request.to_string())
            .arg(self.checked.as_str())
            .arg(self.token.to_string());
        let seen = self.seen.iter();
        seen.fold(call, |call, (id, value)| call.arg(id.as_str()).arg(*value))
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let reply = ReplyReader::new(reply)?;
        Ok(match reply.word() {
            "erased" => EraseUserReply::Erased,
            "refused" => EraseUserReply::Refused,
            "more" => EraseUserReply::More,
            _ => return Err(reply.unexpected()),
        })
    }
}
