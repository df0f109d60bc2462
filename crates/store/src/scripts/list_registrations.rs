use deadpool_redis::redis::Value;
use domain::{CompetitionId, RegistrationState, Revision, UserId};

use super::described_registration::DescribedRegistration;
use super::refusal::competition_not_found;
use super::{Call, Script, source};
use crate::error::{Error, Result};
use crate::keys;
use crate::records::registration::letter;
use crate::redis::{Effect, ReplyReader, decode};

/// Lists the registrations of a competition in the order of their revisions.
pub(crate) struct ListRegistrations<'a> {
    pub(crate) competition: &'a CompetitionId,
    pub(crate) states: &'a [RegistrationState],
    /// Begins behind this revision.
    pub(crate) after: Revision,
    /// The most registrations to return.
    pub(crate) count: usize,
    /// The most log entries to read.
    pub(crate) max_entries: usize,
}

/// The reply of [`ListRegistrations`].
pub(crate) struct RegistrationList {
    pub(crate) registrations: Vec<DescribedRegistration>,
    /// The last revision that was read; `None` = the end of the log.
    pub(crate) read_to: Option<Revision>,
}

impl Script for ListRegistrations<'_> {
    type Reply = RegistrationList;

    const EFFECT: Effect = Effect::Read;

    source!("list_registrations.lua" after [SHARED_PRELUDE, COMPETITION_PRELUDE]);

    fn call(&self) -> Call {
        let letters: String = self.states.iter().map(|state| letter(*state)).collect();
        Call::new(Self::source(), &keys::for_registrations(self.competition))
            .arg(self.after.get())
            .arg(self.count)
            .arg(self.max_entries)
            .arg(letters)
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let mut parts = Vec::<Value>::into_iter(decode(reply)?);
        let mut next = || parts.next().unwrap_or(Value::Nil);
        let word: String = decode(next())?;
        match word.as_str() {
            "no_competition" => Err(competition_not_found(self.competition).into()),
            "listed" => {
                let (read_to, found): (String, Vec<(String, Vec<String>)>) =
                    (decode(next())?, decode(next())?);
                Ok(RegistrationList {
                    registrations: self.decode_registrations(found)?,
                    read_to: read_to.parse().ok().map(Revision::new),
                })
            }
            _ => Err(Error::unreadable(format_args!("the reply {word}"))),
        }
    }
}

impl ListRegistrations<'_> {
    fn decode_registrations(
        &self,
        found: Vec<(String, Vec<String>)>,
    ) -> Result<Vec<DescribedRegistration>> {
        let decode = |(user, reply)| {
            let user = UserId::parse(user).map_err(|_| Error::unreadable("a user id"))?;
            let reply = ReplyReader::from_values(reply)?;
            DescribedRegistration::decode(reply, &user, self.competition)
        };
        found.into_iter().map(decode).collect()
    }
}
