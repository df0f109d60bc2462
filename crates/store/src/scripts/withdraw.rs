use deadpool_redis::redis::Value;
use domain::{CompetitionId, RequestId, UserId};

use super::{Call, Script, source};
use crate::error::Result;
use crate::keys;
use crate::redis::{Effect, ReplyReader};

/// Until when a user can withdraw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Until the competition starts.
    Start,
    /// Until the competition is over, because the account is erased.
    End,
}

pub(crate) struct Withdraw<'a> {
    pub(crate) competition: &'a CompetitionId,
    pub(crate) user: &'a UserId,
    pub(crate) request: RequestId,
    pub(crate) until: Until,
}

impl Script for Withdraw<'_> {
    type Reply = ReplyReader;

    const EFFECT: Effect = Effect::Decide;

    source!("withdraw.lua" after [COMPETITION_PRELUDE]);

    fn call(&self) -> Call {
        Call::new(Self::source(), &keys::for_registrations(self.competition))
            .arg(self.user.as_str())
            .arg(self.request.to_string())
            .arg(match self.until {
                Until::Start => "start",
                Until::End => "end",
            })
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        ReplyReader::new(reply)
    }
}
