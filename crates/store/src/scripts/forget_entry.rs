use deadpool_redis::redis::Value;
use domain::CompetitionId;

use super::{Call, Script, source};
use crate::error::Result;
use crate::redis::{Effect, ReplyReader};

/// Deletes an entry of a user's index, unless it was written again since it was read.
pub(crate) struct ForgetEntry<'a> {
    /// The key of the index.
    pub(crate) index: &'a str,
    pub(crate) competition: &'a CompetitionId,
    /// The value that was read.
    pub(crate) value: &'a str,
}

/// The reply of [`ForgetEntry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForgetEntryReply {
    Forgotten,
    /// The entry is gone already, or was written again.
    Kept,
}

impl Script for ForgetEntry<'_> {
    type Reply = ForgetEntryReply;

    const EFFECT: Effect = Effect::Prepare;

    source!("forget_entry.lua" after []);

    fn call(&self) -> Call {
        Call::new(Self::source(), &[self.index])
            .arg(self.competition.as_str())
            .arg(self.value)
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let reply = ReplyReader::new(reply)?;
        match reply.word() {
            "forgotten" => Ok(ForgetEntryReply::Forgotten),
            "kept" => Ok(ForgetEntryReply::Kept),
            _ => Err(reply.unexpected()),
        }
    }
}
