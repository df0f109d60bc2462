use deadpool_redis::redis::Value;

use super::organiser::OrganiserRequest;
use super::refusal::refusal;
use super::{Call, Script, source};
use crate::error::Result;
use crate::redis::{Effect, ReplyReader};

pub(crate) struct DeleteCompetition<'a>(pub(crate) OrganiserRequest<'a>);

impl Script for DeleteCompetition<'_> {
    type Reply = ();

    const EFFECT: Effect = Effect::Decide;

    source!("delete_competition.lua" after
        [SHARED_PRELUDE, COMPETITION_PRELUDE, ORGANISER_PRELUDE]);

    fn call(&self) -> Call {
        self.0.call(Self::source())
    }

    fn decode(&self, reply: Value) -> Result<()> {
        let reply = ReplyReader::new(reply)?;
        match reply.word() {
            "changed" => Ok(()),
            _ => Err(refusal(reply, self.0.competition, None)),
        }
    }
}
