//! Registrations of users for competitions.
//!
//! - [`Registrations`]: the registrations, in the slot of the competition.
//! - [`index`]: the competitions that a user may have entered, in the slot of the user.
//! - [`accepting`]: the competitions that need not be asked before the index is written.
//!
//! Registering, adding and listing use both slots: see `workflows`.

mod accepting;
mod index;

use std::sync::Arc;

use domain::{
    AdminId, Competition, CompetitionId, CompetitionState, Reason, Registration, Rejected,
    Rejection, RequestId, User, UserId,
};

use crate::competitions::CompetitionCache;
use crate::error::{Error, Result};
use crate::page::{Cursor, Listed};
use crate::records::competition;
use crate::records::removal_reason::ReasonRecord;
use crate::redis::{Redis, write_deadline};
use crate::scripts::described_registration::DescribedRegistration;
use crate::scripts::erase_registration::EraseRegistration;
use crate::scripts::list_registrations::{ListRegistrations, RegistrationList};
use crate::scripts::read_competition::{CompetitionRead, ReadCompetition};
use crate::scripts::refusal::competition_not_found;
use crate::scripts::register::{PendingRegistration, PreviewRegister, Register};
use crate::scripts::remove::Remove;
use crate::scripts::withdraw::Withdraw;

pub(crate) use accepting::AcceptingCompetitions;
pub(crate) use index::{IndexEntry, IndexPage, UserIndex};

/// A registration as an organiser sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct OrganiserRegistration {
    pub registration: Registration,
    /// `None` = the account was erased.
    pub user: Option<User>,
    /// The admin who added it; `None` = the user registered.
    pub added_by: Option<AdminId>,
}

impl OrganiserRegistration {
    /// Without an account the reason of a removal is left out, also if a log entry from before
    /// 0.2.0 still has it.
    pub(crate) fn new(described: DescribedRegistration, user: Option<User>) -> Self {
        let DescribedRegistration {
            mut registration,
            added_by,
        } = described;
        if user.is_none() {
            registration.removal_reason = Reason::default();
        }
        Self {
            registration,
            user,
            added_by,
        }
    }
}

impl Listed for OrganiserRegistration {
    fn cursor(&self) -> Cursor {
        Cursor::of_revision(self.registration.revision)
    }
}

impl Listed for (Registration, Competition) {
    fn cursor(&self) -> Cursor {
        Cursor::of_text(self.0.competition_id.as_str())
    }
}

/// A competition, and the registration of one user in it.
pub(crate) struct RegistrationIn {
    pub(crate) competition: Arc<Competition>,
    pub(crate) registration: Option<DescribedRegistration>,
}

/// The registrations for all competitions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Registrations {
    redis: Redis,
    cache: Arc<CompetitionCache>,
}

impl Registrations {
    pub(crate) fn new(redis: &Redis, cache: &Arc<CompetitionCache>) -> Self {
        Self {
            redis: redis.clone(),
            cache: Arc::clone(cache),
        }
    }

    /// Returns what a registration would return now, and changes nothing.
    pub(crate) async fn preview(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        let pending = [PendingRegistration {
            user: user.clone(),
            request,
        }];
        let preview = PreviewRegister(Register {
            competition,
            pending: &pending,
            deadline: write_deadline(self.redis.current_time().await?),
        });
        let mut replies = self.redis.run(&preview).await?;
        let reply = replies.pop();
        reply
            .ok_or_else(|| Error::unreadable("an empty batch"))?
            .map(|described| described.registration)
    }

    /// Withdraws a user: a confirmed one until the competition starts, a waitlisted one always.
    pub(crate) async fn withdraw(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        let withdraw = Withdraw {
            competition,
            user,
            request,
        };
        Ok(self.redis.run(&withdraw).await?.registration)
    }

    /// Withdraws a user whose account is erased: a confirmed one until the competition is over, a
    /// waitlisted one always; and erases the reasons of the user's removals. Returns whether there is
    /// such a competition.
    pub(crate) async fn erase(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<bool> {
        let erase = EraseRegistration {
            competition,
            user,
            request,
        };
        self.redis.run(&erase).await
    }

    /// Removes a registration for an organiser.
    pub(crate) async fn remove(
        &self,
        by: &AdminId,
        competition: &CompetitionId,
        user: &UserId,
        reason: &Reason,
        request: RequestId,
    ) -> Result<DescribedRegistration> {
        let remove = Remove {
            competition,
            user,
            by,
            reason,
            record: &ReasonRecord::new(reason)?,
            request,
        };
        self.redis.run(&remove).await
    }

    /// Reads a user's own registration.
    pub(crate) async fn get_own(
        &self,
        user: &UserId,
        competition: &CompetitionId,
    ) -> Result<Registration> {
        let found = self.read_one(user, competition).await?;
        if found.competition.state == CompetitionState::Draft {
            return Err(competition_not_found(competition).into());
        }
        let described = found.or_not_registered(user)?;
        Ok(described.registration)
    }

    /// Reads the registration of a user in a competition in any state.
    pub(crate) async fn get(
        &self,
        user: &UserId,
        competition: &CompetitionId,
    ) -> Result<DescribedRegistration> {
        let found = self.read_one(user, competition).await?;
        found.or_not_registered(user)
    }

    /// Lists registrations in the order of revision. One round trip.
    pub(crate) async fn list(&self, list: &ListRegistrations<'_>) -> Result<RegistrationList> {
        self.redis.run(list).await
    }

    async fn read_one(&self, user: &UserId, competition: &CompetitionId) -> Result<RegistrationIn> {
        let ids = std::slice::from_ref(competition);
        let found = self.read_many(user, ids).await?.pop().flatten();
        found.ok_or_else(|| competition_not_found(competition).into())
    }

    /// Reads competitions with the registrations of a user in them, in the order of the ids; `None`
    /// = there is no such competition. One round trip.
    pub(crate) async fn read_many(
        &self,
        user: &UserId,
        competitions: &[CompetitionId],
    ) -> Result<Vec<Option<RegistrationIn>>> {
        loop {
            let opened = self.redis.connections_opened();
            let cached: Vec<_> = competitions
                .iter()
                .map(|id| self.cache.get(id, opened))
                .collect();
            let reads = competitions.iter().zip(&cached);
            let reads: Vec<_> = reads
                .map(|(competition, cached)| ReadCompetition {
                    competition,
                    user: Some(user),
                    known: cached.as_ref().map(|cached| cached.revision),
                })
                .collect();
            let replies = self.redis.run_all(&reads).await?;
            // Another Redis may have another competition at this revision. The next round starts
            // with an empty cache, so there are two rounds at most unless Redis is replaced again.
            if self.redis.connections_opened() == opened || cached.iter().all(Option::is_none) {
                let found = competitions.iter().zip(replies).zip(cached);
                return found
                    .map(|((id, reply), cached)| self.combine(id, reply, cached, opened))
                    .collect();
            }
        }
    }

    /// Completes what the script has read by the cached competition, or updates the cache.
    fn combine(
        &self,
        id: &CompetitionId,
        reply: CompetitionRead,
        cached: Option<Arc<Competition>>,
        opened: u64,
    ) -> Result<Option<RegistrationIn>> {
        let (competition, registration) = match (reply, cached) {
            (CompetitionRead::NotFound, _) => return Ok(None),
            (CompetitionRead::Unchanged(registration), Some(cached)) => (cached, registration),
            (CompetitionRead::Unchanged(_), None) => {
                return Err(Error::unreadable("the reply unchanged"));
            }
            (CompetitionRead::Found(fields, registration), _) => {
                let competition = Arc::new(competition::parse(id.clone(), fields)?);
                self.cache.put(&competition, opened);
                (competition, registration)
            }
        };
        Ok(Some(RegistrationIn {
            competition,
            registration,
        }))
    }
}

impl RegistrationIn {
    /// The registration, or the rejection that there is none.
    fn or_not_registered(self, user: &UserId) -> Result<DescribedRegistration> {
        let Self {
            competition,
            registration,
        } = self;
        registration.ok_or_else(|| {
            Rejected::from(Rejection::NotRegistered)
                .in_competition(&competition.id)
                .about_user(user)
                .at(competition.revision)
                .into()
        })
    }
}
