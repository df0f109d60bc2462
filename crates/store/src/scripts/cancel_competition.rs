use deadpool_redis::redis::Value;
use domain::{Competition, Reason};

use super::organiser::OrganiserRequest;
use super::{Call, Script, source};
use crate::error::Result;
use crate::redis::Effect;

/// Cancels a published competition.
pub(crate) struct CancelCompetition<'a> {
    pub(crate) organiser: OrganiserRequest<'a>,
    pub(crate) reason: &'a Reason,
}

impl Script for CancelCompetition<'_> {
    type Reply = Competition;

    const EFFECT: Effect = Effect::Decide;

    source!("cancel_competition.lua" after
        [SHARED_PRELUDE, COMPETITION_PRELUDE, ORGANISER_PRELUDE]);

    fn call(&self) -> Call {
        self.organiser
            .call(Self::source())
            .arg(self.reason.as_str())
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        self.organiser.decode(reply)
    }
}
