use deadpool_redis::redis::Value;
use domain::Competition;

use super::organiser::OrganiserRequest;
use super::{Call, Script, source};
use crate::error::Result;
use crate::keys;
use crate::redis::Effect;

/// Continues the promotions of an update with a larger capacity.
pub(crate) struct Promote<'a> {
    pub(crate) update: &'a OrganiserRequest<'a>,
}

impl Script for Promote<'_> {
    type Reply = Competition;

    const EFFECT: Effect = Effect::Decide;

    source!("promote.lua" after
        [SHARED_PRELUDE, COMPETITION_PRELUDE, ORGANISER_PRELUDE]);

    fn call(&self) -> Call {
        let keys = keys::for_organisers(self.update.competition, self.update.request);
        Call::new(Self::source(), &keys).arg(&self.update.fingerprint)
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        self.update.decode(reply)
    }
}
