use deadpool_redis::redis::Value;
use domain::{Competition, CompetitionDetails, Rejected, Rejection, Revision};

use super::organiser::{OrganiserRequest, with_details};
use super::{Call, Script, source};
use crate::error::{Error, Result};
use crate::redis::{Effect, ReplyReader};

/// Replaces the details of a competition, if it is still the version that the caller read.
pub(crate) struct UpdateCompetition<'a> {
    pub(crate) organiser: OrganiserRequest<'a>,
    /// The changed fields as JSON, for the log.
    pub(crate) before: String,
    pub(crate) after: String,
    /// The version that the caller read.
    pub(crate) version: Revision,
    pub(crate) details: Option<&'a CompetitionDetails>,
}

/// The reply of [`UpdateCompetition`].
pub(crate) enum CompetitionUpdate {
    Updated(Competition),
    /// Another call has changed the competition since it was read.
    OldVersion,
}

impl Script for UpdateCompetition<'_> {
    type Reply = CompetitionUpdate;

    const EFFECT: Effect = Effect::Decide;

    source!("update_competition.lua" after
        [SHARED_PRELUDE, COMPETITION_PRELUDE, ORGANISER_PRELUDE]);

    fn call(&self) -> Call {
        let call = self.organiser.call(Self::source());
        let call = call
            .arg(&self.before)
            .arg(&self.after)
            .arg(self.version.get());
        match self.details {
            Some(details) => with_details(call, details),
            None => call,
        }
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let mut reply = ReplyReader::new(reply)?;
        match reply.word() {
            "old_version" => Ok(CompetitionUpdate::OldVersion),
            "capacity_below_confirmed" => {
                let (revision, confirmed_count) = (reply.revision()?, reply.number()?);
                let capacity = self.details.and_then(|details| details.capacity);
                let rejection = Rejection::CapacityBelowConfirmed {
                    capacity: capacity
                        .ok_or_else(|| Error::unreadable("a refusal of an unlimited capacity"))?,
                    confirmed_count,
                };
                Err(Rejected::from(rejection)
                    .in_competition(self.organiser.competition)
                    .at(revision)
                    .into())
            }
            _ => Ok(CompetitionUpdate::Updated(
                self.organiser.decode_changed(reply)?,
            )),
        }
    }
}
