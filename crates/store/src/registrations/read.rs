//! What stands: for the user, and for the organiser.

use std::sync::Arc;

use deadpool_redis::redis::Value;
use domain::{
    Competition, CompetitionId, CompetitionState, Registration, RegistrationState, UserId,
};

use super::Entry;
use super::answer::{Held, not_registered, read_held};
use crate::competitions::{competition_not_found, read_answer};
use crate::error::Result;
use crate::legacy::unreadable;
use crate::page::{Cursor, Listed, Page, PageRequest};
use crate::records::registration::letter;
use crate::redis::Effect;
use crate::redis::{ReplyReader, decode};
use crate::{Store, keys, script};

impl Store {
    /// Reads a user's own registration.
    pub async fn my_registration(
        &self,
        user: &UserId,
        competition: &CompetitionId,
    ) -> Result<Registration> {
        let (competition_found, held) = self.look_at_one(user, competition).await?;
        if competition_found.state == CompetitionState::Draft {
            return Err(competition_not_found(competition).into());
        }
        held.map(|held| held.registration).ok_or_else(|| {
            not_registered(user, competition)
                .at(competition_found.revision)
                .into()
        })
    }

    /// Lists a user's registrations with their competitions, in the order of the competitions' ids. Takes away what
    /// the index holds too much, if it is old enough to be sure.
    pub async fn my_registrations(
        &self,
        user: &UserId,
        page: &PageRequest,
    ) -> Result<Page<(Registration, Competition)>> {
        let read_at = self.now();
        let mut index = self.index_of(user).await?;
        index.dedup_by(|a, b| a.competition == b.competition);
        let begin = index.partition_point(|entry| entry.competition.as_str() <= page.after_text());
        let wanted = &index[begin..];
        let shown = &wanted[..wanted.len().min(page.size)];
        let ids: Vec<_> = shown
            .iter()
            .map(|entry| entry.competition.clone())
            .collect();
        let mut items = Vec::with_capacity(shown.len());
        for (entry, found) in shown.iter().zip(self.look_at(user, &ids).await?) {
            match found {
                Some((competition, Some(held))) => {
                    items.push((held.registration, Arc::unwrap_or_clone(competition)));
                }
                _ => self.forget(user, entry, read_at).await,
            }
        }
        let next = (shown.len() < wanted.len()).then(|| shown.last()).flatten();
        let next = next.map(|last| Cursor::of_text(last.competition.as_str()));
        Ok(Page { items, next })
    }

    /// Reads one entry of a competition in any state.
    pub async fn get_entry(&self, competition: &CompetitionId, user: &UserId) -> Result<Entry> {
        let (competition_found, held) = self.look_at_one(user, competition).await?;
        let held =
            held.ok_or_else(|| not_registered(user, competition).at(competition_found.revision))?;
        Ok(held.of(self.find_user(user).await?))
    }

    /// Lists the entries of a competition in these states, in the order of revision. Two round trips.
    pub async fn list_entries(
        &self,
        competition: &CompetitionId,
        states: &[RegistrationState],
        page: &PageRequest,
    ) -> Result<Page<Entry>> {
        // Churn leaves log entries that are no longer current: look at some more than are wanted, and
        // never at so many that one call holds Redis up.
        let looks = page.size * 4;
        let letters: String = states.iter().map(|state| letter(*state)).collect();
        let call = script::LIST_REGISTRATIONS
            .on(&keys::Competition::of(competition).for_registrations())
            .arg(page.after_revision())
            .arg(page.size)
            .arg(looks)
            .arg(letters);
        let answer = self.redis.run_call(call, Effect::Prepare).await?;
        let mut values = Vec::<Value>::into_iter(decode(answer)?);
        let looked_to: String = values.next().map(decode).transpose()?.unwrap_or_default();
        if looked_to == "no_competition" {
            return Err(competition_not_found(competition).into());
        }
        let mut held = Vec::new();
        for value in values {
            let (user, registration): (String, Vec<String>) = decode(value)?;
            let user = UserId::parse(user).map_err(|_| unreadable("a user id"))?;
            held.push(read_held(
                ReplyReader::from_values(registration)?,
                &user,
                competition,
            )?);
        }
        let ids: Vec<_> = held
            .iter()
            .map(|held| held.registration.user_id.clone())
            .collect();
        let users = self.find_users(&ids).await?;
        let items = held
            .into_iter()
            .zip(users)
            .map(|(held, user)| held.of(user))
            .collect();
        let next = (!looked_to.is_empty()).then(|| Cursor::of_text(&looked_to));
        Ok(Page { items, next })
    }

    /// Reads a competition that must be there, and a user's registration in it.
    async fn look_at_one(
        &self,
        user: &UserId,
        competition: &CompetitionId,
    ) -> Result<(Arc<Competition>, Option<Held>)> {
        let found = self
            .look_at(user, std::slice::from_ref(competition))
            .await?
            .pop()
            .flatten();
        found.ok_or_else(|| competition_not_found(competition).into())
    }

    /// Reads a user's registrations in these competitions, in one round trip.
    async fn look_at(
        &self,
        user: &UserId,
        competitions: &[CompetitionId],
    ) -> Result<Vec<Option<(Arc<Competition>, Option<Held>)>>> {
        let (opened, known, answers) = loop {
            let opened = self.redis.connections_opened();
            let known: Vec<_> = competitions
                .iter()
                .map(|id| self.known.recall(id, opened))
                .collect();
            let calls = competitions.iter().zip(&known).map(|(id, known)| {
                let revision = known.as_ref().map(|known| known.revision.get().to_string());
                script::READ_COMPETITION
                    .on(&keys::Competition::of(id).for_registrations())
                    .arg(user.as_str())
                    .arg(revision.unwrap_or_default())
            });
            let answers = self.redis.run_calls(calls).await?;
            // Another Redis may mean another competition by this revision. Then nothing is known any more.
            if self.redis.connections_opened() == opened || known.iter().all(Option::is_none) {
                break (opened, known, answers);
            }
        };
        let found = competitions.iter().zip(known).zip(answers);
        found
            .map(|((id, known), answer)| {
                let known_at = known.as_ref().map(|known| known.revision);
                let Some((competition, registration)) = read_answer(id, known, answer)? else {
                    return Ok(None);
                };
                if known_at != Some(competition.revision) {
                    self.known.note(&competition, opened);
                }
                let is_held = !registration.is_empty();
                let held = is_held
                    .then(|| read_held(ReplyReader::from_values(registration)?, user, id))
                    .transpose()?;
                Ok(Some((competition, held)))
            })
            .collect()
    }
}

impl Listed for (Registration, Competition) {
    fn cursor(&self) -> Cursor {
        Cursor::of_text(self.0.competition_id.as_str())
    }
}

impl Listed for Entry {
    fn cursor(&self) -> Cursor {
        Cursor::of_revision(self.registration.revision)
    }
}
