use deadpool_redis::redis::Value;
use domain::{CompetitionId, Revision, UserId};

use super::described_registration::DescribedRegistration;
use super::{Call, Script, source};
use crate::error::Result;
use crate::keys;
use crate::records::Fields;
use crate::redis::{Effect, ReplyReader, decode};

/// Reads a competition, and the registration of a user in it, at one revision.
pub(crate) struct ReadCompetition<'a> {
    pub(crate) competition: &'a CompetitionId,
    pub(crate) user: Option<&'a UserId>,
    /// The revision at which the caller knows the competition.
    pub(crate) known: Option<Revision>,
}

/// The reply of [`ReadCompetition`].
pub(crate) enum CompetitionRead {
    NotFound,
    /// The competition has still the revision that the caller knows.
    Unchanged(Option<DescribedRegistration>),
    Found(Fields, Option<DescribedRegistration>),
}

impl Script for ReadCompetition<'_> {
    type Reply = CompetitionRead;

    const EFFECT: Effect = Effect::Read;

    source!("read_competition.lua" after [SHARED_PRELUDE, COMPETITION_PRELUDE]);

    fn call(&self) -> Call {
        let known = self.known.map(|revision| revision.to_string());
        Call::new(Self::source(), &keys::for_registrations(self.competition))
            .arg(self.user.map_or("", UserId::as_str))
            .arg(known.unwrap_or_default())
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let (competition, registration): (Vec<String>, Vec<String>) = decode(reply)?;
        let registration = match self.user {
            Some(user) if !registration.is_empty() => {
                let reply = ReplyReader::from_values(registration)?;
                Some(DescribedRegistration::decode(
                    reply,
                    user,
                    self.competition,
                )?)
            }
            _ => None,
        };
        Ok(match &*competition {
            [] => CompetitionRead::NotFound,
            [word] if word == "unchanged" => CompetitionRead::Unchanged(registration),
            _ => CompetitionRead::Found(Fields::from_pairs(competition), registration),
        })
    }
}
