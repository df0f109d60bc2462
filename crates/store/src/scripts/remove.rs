use deadpool_redis::redis::Value;
use domain::{AdminId, CompetitionId, Reason, RequestId, UserId};

use super::described_registration::DescribedRegistration;
use super::{Call, Script, source};
use crate::error::Result;
use crate::keys;
use crate::records::removal_reason::ReasonRecord;
use crate::redis::{Effect, ReplyReader};

/// Removes a registration for an organiser.
pub(crate) struct Remove<'a> {
    pub(crate) competition: &'a CompetitionId,
    pub(crate) user: &'a UserId,
    pub(crate) by: &'a AdminId,
    pub(crate) reason: &'a Reason,
    /// The record of the reason. Not used if the reason is empty.
    pub(crate) record: &'a ReasonRecord,
    pub(crate) request: RequestId,
}

impl Script for Remove<'_> {
    type Reply = DescribedRegistration;

    const EFFECT: Effect = Effect::Decide;

    source!("remove.lua" after [SHARED_PRELUDE, COMPETITION_PRELUDE]);

    fn call(&self) -> Call {
        let call = Call::new(Self::source(), &keys::for_registrations(self.competition))
            .arg(self.user.as_str())
            .arg(self.request.to_string())
            .arg(self.by.as_str())
            .arg(self.reason.as_str());
        if self.reason.as_str().is_empty() {
            return call;
        }
        call.arg(self.record.as_str())
            .arg(self.record.hash().as_str())
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        DescribedRegistration::decode(ReplyReader::new(reply)?, self.user, self.competition)
    }
}
