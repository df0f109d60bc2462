use deadpool_redis::redis::Value;
use domain::CompetitionId;

use super::{Call, Script, source};
use crate::error::Result;
use crate::keys::CompetitionKey;
use crate::records::seal::Seal;
use crate::redis::{Effect, ReplyReader};

/// Replaces the seal of a log by a later one.
pub(crate) struct ReplaceSeal<'a> {
    pub(crate) competition: &'a CompetitionId,
    /// The seal that the caller read; [`Seal::EMPTY`] = there was none.
    pub(crate) before: Seal,
    pub(crate) after: Seal,
}

/// The reply of [`ReplaceSeal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SealReplacement {
    Sealed,
    /// Another process has replaced the seal in the meantime.
    Overtaken,
}

impl Script for ReplaceSeal<'_> {
    type Reply = SealReplacement;

    const EFFECT: Effect = Effect::Prepare;

    source!("seal.lua" after []);

    fn call(&self) -> Call {
        let before = match self.before {
            Seal::EMPTY => String::new(),
            seal => seal.to_string(),
        };
        Call::new(Self::source(), &[CompetitionKey::Seal.of(self.competition)])
            .arg(before)
            .arg(self.after.to_string())
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let reply = ReplyReader::new(reply)?;
        match reply.word() {
            "sealed" => Ok(SealReplacement::Sealed),
            "overtaken" => Ok(SealReplacement::Overtaken),
            _ => Err(reply.unexpected()),
        }
    }
}
