use deadpool_redis::redis::Value;
use domain::{CompetitionId, RequestId, UserId};

use super::{Call, Script, source};
use crate::error::Result;
use crate::keys;
use crate::redis::{Effect, ReplyReader};

/// Withdraws a user whose account is erased, and erases the reasons of the user's removals.
pub(crate) struct EraseRegistration<'a> {
    pub(crate) competition: &'a CompetitionId,
    pub(crate) user: &'a UserId,
    pub(crate) request: RequestId,
}

impl Script for EraseRegistration<'_> {
    /// Whether there is such a competition.
    type Reply = bool;

    const EFFECT: Effect = Effect::Decide;

    source!("erase_registration.lua" after [SHARED_PRELUDE, COMPETITION_PRELUDE]);

    fn call(&self) -> Call {
        Call::new(Self::source(), &keys::for_registrations(self.competition))
            .arg(self.user.as_str())
            .arg(self.request.to_string())
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let reply = ReplyReader::new(reply)?;
        match reply.word() {
            "erased" => Ok(true),
            "no_competition" => Ok(false),
            _ => Err(reply.unexpected()),
        }
    }
}
