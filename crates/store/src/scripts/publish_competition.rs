use deadpool_redis::redis::Value;
use domain::Competition;

use super::organiser::OrganiserRequest;
use super::{Call, Script, source};
use crate::error::Result;
use crate::redis::Effect;

pub(crate) struct PublishCompetition<'a>(pub(crate) OrganiserRequest<'a>);

impl Script for PublishCompetition<'_> {
    type Reply = Competition;

    const EFFECT: Effect = Effect::Decide;

    source!("publish_competition.lua" after
        [SHARED_PRELUDE, COMPETITION_PRELUDE, ORGANISER_PRELUDE]);

    fn call(&self) -> Call {
        self.0.call(Self::source())
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        self.0.decode(reply)
    }
}
