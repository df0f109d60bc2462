//! The list of all competitions, in the order of their start. It may hold too many entries, never
//! too few: a reader drops each entry that does not match its competition.

use deadpool_redis::redis::Cmd;
use domain::{Competition, CompetitionId, CompetitionState, Schedule, Timestamp};

use super::Competitions;
use crate::error::Result;
use crate::keys;
use crate::page::{Cursor, Listed, Page, PageRequest};
use crate::records::catalogue_member::{self, lower_bound};
use crate::redis::Redis;
use crate::shards;

/// The competitions to list, in the order of start, then id.
#[derive(Debug, Clone)]
pub struct ListCompetitions {
    /// Empty = in all states.
    pub states: Vec<CompetitionState>,
    /// Only competitions that accept registrations at this time.
    pub open_at: Option<Timestamp>,
    /// Only competitions that start at this time or later.
    pub starts_after: Option<Timestamp>,
    /// Only competitions that start before this time.
    pub starts_before: Option<Timestamp>,
    pub page: PageRequest,
}

/// The list of all competitions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Catalogue {
    redis: Redis,
    competitions: Competitions,
}

impl Catalogue {
    pub(crate) fn new(redis: &Redis, competitions: &Competitions) -> Self {
        Self {
            redis: redis.clone(),
            competitions: competitions.clone(),
        }
    }

    /// Lists competitions in the order of start, then id. At most three round trips.
    pub(crate) async fn list(&self, list: &ListCompetitions) -> Result<Page<Competition>> {
        let size = list.page.size;
        // A competition that has started is not open, so `open_at` bounds the start too.
        let from = list.starts_after.max(list.open_at).map(lower_bound);
        let from = from.unwrap_or_default();
        let from = list.page.after_text().max(from.as_str());
        let to = list.starts_before.map(lower_bound).unwrap_or_default();
        let slice = shards::read(&self.redis, keys::catalogue, from, &to, size).await?;
        let mut items = Vec::with_capacity(size);
        let mut examined = 0;
        // Filtered entries leave room on the page: a second pass fills it from the same slice.
        for _ in 0..2 {
            let end = slice.members.len().min(examined + size);
            let candidates = &slice.members[examined..end];
            if items.len() == size || candidates.is_empty() {
                break;
            }
            for (member, competition) in candidates.iter().zip(self.read(candidates).await?) {
                if items.len() == size {
                    break;
                }
                examined += 1;
                items.extend(
                    competition.filter(|found| {
                        list.wants(found) && catalogue_member::of(found) == *member
                    }),
                );
            }
        }
        let is_last = slice.is_last && examined == slice.members.len();
        let next = examined.checked_sub(1).filter(|_| !is_last);
        let next = next.map(|last| Cursor::of_text(&slice.members[last]));
        Ok(Page { items, next })
    }

    /// Lists the ids of all competitions, without reading them: some may be gone, and one whose
    /// start was changed may come twice. One round trip.
    pub(crate) async fn list_ids(
        &self,
        page: &PageRequest,
    ) -> Result<(Vec<CompetitionId>, Option<Cursor>)> {
        let after = page.after_text();
        let slice = shards::read(&self.redis, keys::catalogue, after, "", page.size).await?;
        let last = slice.members.last().filter(|_| !slice.is_last);
        let next = last.map(|member| Cursor::of_text(member));
        Ok((parse_ids(&slice.members)?, next))
    }

    async fn read(&self, members: &[String]) -> Result<Vec<Option<Competition>>> {
        self.competitions.find_many(&parse_ids(members)?).await
    }

    /// Adds the entry of a competition. Must precede the record, so that the catalogue never lacks
    /// one.
    pub(crate) async fn add(&self, id: &CompetitionId, schedule: Schedule) -> Result<()> {
        let key = keys::catalogue(keys::shard_of(id.as_str()));
        let member = catalogue_member::print(schedule.moments().starts_at, id);
        self.redis.prepare(Cmd::zadd(key, member, 0)).await
    }

    /// Removes an entry that no longer matches its competition. An entry that stays does no harm.
    pub(crate) async fn remove(&self, id: &CompetitionId, old: Schedule) {
        if let Err(error) = self.try_remove(id, old).await {
            tracing::warn!(
                %error,
                competition = %id,
                "an outdated entry may remain in the catalogue, or a current one may be missing"
            );
        }
    }

    async fn try_remove(&self, id: &CompetitionId, old: Schedule) -> Result<()> {
        let key = keys::catalogue(keys::shard_of(id.as_str()));
        let member = catalogue_member::print(old.moments().starts_at, id);
        self.redis.prepare(Cmd::zrem(key, member)).await?;
        // Another call may have added the same entry: for a competition that was moved back or
        // created again. It adds the entry before it writes the record, so the record is read after
        // the removal.
        let now = self
            .competitions
            .find_many(std::slice::from_ref(id))
            .await?;
        match now.into_iter().next().flatten() {
            Some(now) => self.add(id, now.details.schedule).await,
            None => Ok(()),
        }
    }
}

fn parse_ids(members: &[String]) -> Result<Vec<CompetitionId>> {
    let ids = members.iter();
    ids.map(|member| catalogue_member::parse_id(member))
        .collect()
}

impl ListCompetitions {
    fn wants(&self, competition: &Competition) -> bool {
        let moments = competition.details.schedule.moments();
        let is_open = |now| {
            competition.state == CompetitionState::Published
                && (moments.registration_opens_at..moments.registration_closes_at).contains(&now)
        };
        (self.states.is_empty() || self.states.contains(&competition.state))
            && self.open_at.is_none_or(is_open)
    }
}

impl Listed for Competition {
    fn cursor(&self) -> Cursor {
        Cursor::of_text(&catalogue_member::of(self))
    }
}
