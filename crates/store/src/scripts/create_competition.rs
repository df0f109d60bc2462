use deadpool_redis::redis::Value;
use domain::{Competition, CompetitionDetails};

use super::organiser::{OrganiserRequest, with_details};
use super::{Call, Script, source};
use crate::error::Result;
use crate::redis::Effect;

/// Creates a competition as a draft.
pub(crate) struct CreateCompetition<'a> {
    pub(crate) organiser: OrganiserRequest<'a>,
    pub(crate) details: &'a CompetitionDetails,
    /// The details as JSON, for the log.
    pub(crate) after: String,
    /// See [`crate::redis::write_deadline`].
    pub(crate) deadline: i64,
}

impl Script for CreateCompetition<'_> {
    type Reply = Competition;

    const EFFECT: Effect = Effect::Decide;

    source!("create_competition.lua" after
        [SHARED_PRELUDE, COMPETITION_PRELUDE, ORGANISER_PRELUDE]);

    fn call(&self) -> Call {
        let call = self.organiser.call(Self::source());
        with_details(call.arg(&self.after).arg(self.deadline), self.details)
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        self.organiser.decode(reply)
    }
}
