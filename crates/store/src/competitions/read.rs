//! Competitions read: one, or many by their ids.

use deadpool_redis::redis::Value;
use domain::{Competition, CompetitionId, CompetitionState, Rejected, Rejection};

use super::record::read_competition;
use crate::error::Result;
use crate::redis::Kind;
use crate::reply::{Fields, decode};
use crate::{Store, keys, script};

impl Store {
    /// Reads a competition in any state.
    pub async fn get_competition(&self, id: &CompetitionId) -> Result<Competition> {
        let call = script::READ_COMPETITION.on(&keys::Competition::of(id).for_registrations());
        let (fields, _) = read_answer(self.redis.run(call, Kind::Harmless).await?)?;
        if fields.is_empty() {
            return Err(Rejected::from(Rejection::CompetitionNotFound)
                .in_competition(id)
                .into());
        }
        read_competition(id.clone(), fields)
    }

    /// Reads a competition that is open to the public: a draft does not exist.
    pub async fn get_public_competition(&self, id: &CompetitionId) -> Result<Competition> {
        let competition = self.get_competition(id).await?;
        if competition.state == CompetitionState::Draft {
            return Err(Rejected::from(Rejection::CompetitionNotFound)
                .in_competition(id)
                .into());
        }
        Ok(competition)
    }

    /// Reads competitions, in one round trip.
    pub(crate) async fn read_competitions(
        &self,
        ids: &[CompetitionId],
    ) -> Result<Vec<Option<Competition>>> {
        let calls = ids
            .iter()
            .map(|id| script::READ_COMPETITION.on(&keys::Competition::of(id).for_registrations()));
        let answers = self.redis.run_all(&script::READ_COMPETITION, calls).await?;
        ids.iter()
            .zip(answers)
            .map(|(id, answer)| {
                let (fields, _) = read_answer(answer)?;
                let is_there = !fields.is_empty();
                is_there
                    .then(|| read_competition(id.clone(), fields))
                    .transpose()
            })
            .collect()
    }
}

/// Splits the answer of `read_competition.lua`: a competition, and a registration in it.
pub(crate) fn read_answer(value: Value) -> Result<(Fields, Vec<String>)> {
    let (competition, registration): (Vec<String>, Vec<String>) = decode(value)?;
    Ok((Fields::of(competition), registration))
}
