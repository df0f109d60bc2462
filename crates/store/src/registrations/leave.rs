//! How one gets out: a user withdraws, an organiser removes, an account is erased.

use domain::{AdminId, CompetitionId, Reason, Registration, RequestId, UserId};

use super::Entry;
use super::answer::read_held;
use super::index::IndexEntry;
use crate::error::{Error, Result};
use crate::redis::Effect;
use crate::redis::ReplyReader;
use crate::scripts::withdraw::{Until, Withdraw};
use crate::{Store, keys, script};

impl Store {
    /// Withdraws a user, until the competition starts.
    pub async fn withdraw(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        self.withdraw_until(Until::Start, user, competition, request)
            .await
    }

    async fn withdraw_until(
        &self,
        until: Until,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        let withdraw = Withdraw {
            competition,
            user,
            request,
            until,
        };
        let reply = self.redis.run(&withdraw).await?;
        read_held(reply, user, competition).map(|held| held.registration)
    }

    /// Removes a registration for an organiser.
    pub async fn remove_registration(
        &self,
        by: &AdminId,
        competition: &CompetitionId,
        user: &UserId,
        reason: &Reason,
        request: RequestId,
    ) -> Result<Entry> {
        loop {
            let call = script::REMOVE
                .on(&keys::Competition::of(competition).for_registrations())
                .arg(user.as_str())
                .arg(request.to_string())
                .arg(by.as_str())
                .arg(reason.as_str());
            let reply = ReplyReader::new(self.redis.run_call(call, Effect::Decide).await?)?;
            if reply.word() != "unsettled" {
                let held = read_held(reply, user, competition)?;
                return Ok(held.of(self.find_user(user).await?));
            }
        }
    }

    /// Withdraws a user whose account was erased.
    pub(crate) async fn withdraw_erased(
        &self,
        user: &UserId,
        competition: &CompetitionId,
    ) -> Result<()> {
        let request = RequestId::random();
        match self
            .withdraw_until(Until::End, user, competition, request)
            .await
        {
            Ok(_) | Err(Error::Rejected(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Withdraws a user from all that is not over: before the account is erased. Answers every
    /// entry of the index that was looked at.
    pub(crate) async fn withdraw_from_all(
        &self,
        user: &UserId,
        request: RequestId,
    ) -> Result<Vec<IndexEntry>> {
        let entries = self.index_of(user).await?;
        for entry in &entries {
            let withdrawn = self
                .withdraw_until(Until::End, user, &entry.competition, request)
                .await;
            match withdrawn {
                Ok(_) | Err(Error::Rejected(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(entries)
    }
}
