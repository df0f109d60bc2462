use deadpool_redis::redis::Value;
use domain::{AddOptions, AdminId, CompetitionId, RequestId, UserId};

use super::described_registration::DescribedRegistration;
use super::{Call, Script, source};
use crate::error::Result;
use crate::keys;
use crate::redis::{Effect, ReplyReader};

/// Adds a registration for an organiser.
pub(crate) struct Add<'a> {
    pub(crate) competition: &'a CompetitionId,
    pub(crate) user: &'a UserId,
    pub(crate) by: &'a AdminId,
    pub(crate) options: AddOptions,
    pub(crate) request: RequestId,
    /// See [`crate::redis::write_deadline`].
    pub(crate) deadline: i64,
}

impl Script for Add<'_> {
    type Reply = DescribedRegistration;

    const EFFECT: Effect = Effect::Decide;

    source!("add.lua" after [SHARED_PRELUDE, COMPETITION_PRELUDE]);

    fn call(&self) -> Call {
        let flag = |is_set| if is_set { "1" } else { "0" };
        Call::new(Self::source(), &keys::for_registrations(self.competition))
            .arg(self.user.as_str())
            .arg(self.request.to_string())
            .arg(self.by.as_str())
            .arg(flag(self.options.ignore_window))
            .arg(flag(self.options.over_capacity))
            .arg(self.deadline)
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        DescribedRegistration::decode(ReplyReader::new(reply)?, self.user, self.competition)
    }
}
