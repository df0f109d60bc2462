//! All competitions, in the order of their start: an index that may hold too much, never too little.

use deadpool_redis::redis::cmd;
use domain::{
    Competition, CompetitionDetails, CompetitionId, CompetitionState, Schedule, Timestamp,
};

use crate::error::Result;
use crate::page::{Cursor, Listed, Page, PageRequest};
use crate::records::catalogue_member;
use crate::{Store, keys, shards};

/// Which competitions to list, in the order of start, then id.
#[derive(Debug, Clone)]
pub struct ListCompetitions {
    /// In these states only; empty = in all.
    pub states: Vec<CompetitionState>,
    /// Only those whose registration is open now, by the clock of the server that lists.
    pub open_at: Option<Timestamp>,
    /// Only those that start at this moment or later.
    pub starts_after: Option<Timestamp>,
    /// Only those that start before this moment.
    pub starts_before: Option<Timestamp>,
    /// Which part of the list.
    pub page: PageRequest,
}

impl Store {
    /// Lists competitions in the order of start, then id. At most 3 round trips.
    pub async fn list_competitions(&self, list: &ListCompetitions) -> Result<Page<Competition>> {
        let size = list.page.size;
        // Nobody can register any longer for what has started.
        let from = list
            .starts_after
            .max(list.open_at)
            .map(catalogue_member::lower_bound)
            .unwrap_or_default();
        let from = list.page.after_text().max(from.as_str());
        let to = list
            .starts_before
            .map(catalogue_member::lower_bound)
            .unwrap_or_default();
        let slice = shards::read(&self.redis, keys::catalogue, from, &to, size).await?;
        let mut items = Vec::with_capacity(size);
        let mut looked_at = 0;
        // What is filtered out leaves room: a second look fills the page from the same slice.
        for _ in 0..2 {
            let most = slice.members.len().min(looked_at + size);
            let candidates = &slice.members[looked_at..most];
            if items.len() == size || candidates.is_empty() {
                break;
            }
            for (member, competition) in candidates.iter().zip(self.look_up(candidates).await?) {
                if items.len() == size {
                    break;
                }
                looked_at += 1;
                items.extend(
                    competition.filter(|found| {
                        list.wants(found) && catalogue_member::of(found) == *member
                    }),
                );
            }
        }
        let is_last = slice.is_last && looked_at == slice.members.len();
        let next = looked_at.checked_sub(1).filter(|_| !is_last);
        let next = next.map(|last| Cursor::of_text(&slice.members[last]));
        Ok(Page { items, next })
    }

    /// Lists the ids of competitions in the order of start, without a look at them: some may be gone,
    /// and one that was moved may come twice. One round trip.
    pub(crate) async fn catalogue_page(
        &self,
        page: &PageRequest,
    ) -> Result<(Vec<CompetitionId>, Option<Cursor>)> {
        let after = page.after_text();
        let slice = shards::read(&self.redis, keys::catalogue, after, "", page.size).await?;
        let last = slice.members.last().filter(|_| !slice.is_last);
        let next = last.map(|member| Cursor::of_text(member));
        let ids = slice
            .members
            .iter()
            .map(|member| catalogue_member::parse_id(member));
        Ok((ids.collect::<Result<_>>()?, next))
    }

    /// Reads the competitions of these members of the catalogue, in one round trip.
    async fn look_up(&self, members: &[String]) -> Result<Vec<Option<Competition>>> {
        let ids: Vec<_> = members
            .iter()
            .map(|member| catalogue_member::parse_id(member))
            .collect::<Result<_>>()?;
        self.read_competitions(&ids).await
    }

    /// Enters a competition in the catalogue: before the record, so that the catalogue never lacks one.
    pub(super) async fn enter_in_catalogue(
        &self,
        id: &CompetitionId,
        schedule: Schedule,
    ) -> Result<()> {
        let mut add = cmd("ZADD");
        add.arg(keys::catalogue(keys::part_of(id.as_str())))
            .arg(0)
            .arg(catalogue_member::print(schedule.moments().starts_at, id));
        self.redis.command(add).await.map(drop)
    }

    /// Takes the entry of an old start away. One that is left over is found out when it is read.
    pub(super) async fn leave_catalogue(
        &self,
        id: &CompetitionId,
        old: Schedule,
        now: &CompetitionDetails,
    ) {
        if old.moments().starts_at != now.schedule.moments().starts_at {
            self.remove_from_catalogue(id, old).await;
        }
    }

    /// Takes an entry away that nobody needs any more, unless somebody does by now: another call may
    /// have moved the competition back, or made it again, and both enter it before they write the record.
    pub(super) async fn remove_from_catalogue(&self, id: &CompetitionId, schedule: Schedule) {
        let removed = async {
            let mut remove = cmd("ZREM");
            remove
                .arg(keys::catalogue(keys::part_of(id.as_str())))
                .arg(catalogue_member::print(schedule.moments().starts_at, id));
            self.redis.command(remove).await?;
            match self
                .read_competitions(std::slice::from_ref(id))
                .await?
                .pop()
                .flatten()
            {
                Some(now) => self.enter_in_catalogue(id, now.details.schedule).await,
                None => Ok(()),
            }
        };
        if let Err(error) = removed.await {
            tracing::warn!(%error, "the catalogue may be wrong about a competition");
        }
    }
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
