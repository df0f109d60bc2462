use deadpool_redis::redis::Value;
use domain::{CompetitionId, RequestId, UserId};

use super::described_registration::DescribedRegistration;
use super::{Call, Script, source};
use crate::error::Result;
use crate::keys;
use crate::redis::{Effect, ReplyReader};

/// Withdraws a user: a confirmed one until the competition starts, a waitlisted one always.
pub(crate) struct Withdraw<'a> {
    pub(crate) competition: &'a CompetitionId,
    pub(crate) user: &'a UserId,
    pub(crate) request: RequestId,
}

impl Script for Withdraw<'_> {
    type Reply = DescribedRegistration;

    const EFFECT: Effect = Effect::Decide;

    source!("withdraw.lua" after [SHARED_PRELUDE, COMPETITION_PRELUDE]);

    fn call(&self) -> Call {
        Call::new(Self::source(), &keys::for_registrations(self.competition))
            .arg(self.user.as_str())
            .arg(self.request.to_string())
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        DescribedRegistration::decode(ReplyReader::new(reply)?, self.user, self.competition)
    }
}
