//! What can be put right while the services serve, whenever and however often: each repair changes a single
//! thing, and only if it still is what was found.

use deadpool_redis::redis::cmd;

use super::{Finding, Repair, Unfinished};
use crate::error::Result;
use crate::keys::{self, Account};
use crate::records::index_entry;
use crate::redis::Effect;
use crate::redis::{ReplyReader, decode};
use crate::scripts::release_email::{ReleaseEmail, ReleaseEmailReply};
use crate::{Store, script};

impl Store {
    /// Makes the repair of a finding, if it has one, with a Redis user that may write what user-service
    /// writes. Answers whether something was changed: there may be nothing to repair any more.
    pub async fn repair(&self, finding: &Finding) -> Result<bool, Unfinished> {
        match &finding.repair {
            None => Ok(false),
            Some(repair) => Ok(self.make(repair).await?),
        }
    }

    async fn make(&self, repair: &Repair) -> Result<bool> {
        match repair {
            // An entry that is written again has another value. The one that was read was older than any call
            // that could still register with it.
            Repair::ForgetIndexEntry {
                index,
                competition,
                value,
            } => self.forget_entry(index, competition, value).await,
            // An index may hold too much, so a registration that ended meanwhile does no harm.
            Repair::EnterInIndex { user, competition } => {
                let index = Account::of_user(user).competitions();
                // Of this moment: nobody takes it away while the registration may be changing.
                let value = index_entry::new_value(self.redis.current_time().await?);
                let mut enter = cmd("HSETNX");
                enter.arg(&index).arg(competition.as_str()).arg(&value);
                let is_new: bool = decode(self.redis.command(enter).await?)?;
                if is_new && self.find_user(user).await?.is_none() {
                    // Erased meanwhile, and nobody else would take it away.
                    self.forget_entry(&index, competition, &value).await?;
                    return Ok(false);
                }
                Ok(is_new)
            }
            // The directory may hold too much, so a user who is erased meanwhile does no harm.
            Repair::EnterInDirectory { user } => {
                let mut enter = cmd("ZADD");
                enter
                    .arg(keys::directory(keys::part_of(user.as_str())))
                    .arg(0)
                    .arg(user.as_str());
                decode(self.redis.command(enter).await?)
            }
            // A call that uses the claim at this moment has put its own nonce, or its account's id, in it.
            Repair::ReleaseClaim { key, owner } => {
                let release = ReleaseEmail {
                    claim: key,
                    value: owner,
                };
                Ok(self.redis.run(&release).await? == ReleaseEmailReply::Released)
            }
            // Ids are never used again: nobody but the erased account is meant.
            Repair::Withdraw { user, competition } => {
                self.withdraw_erased(user, competition).await?;
                Ok(true)
            }
        }
    }

    async fn forget_entry(
        &self,
        index: &str,
        competition: &domain::CompetitionId,
        value: &str,
    ) -> Result<bool> {
        let call = script::FORGET_ENTRY
            .on(&[index])
            .arg(competition.as_str())
            .arg(value);
        let reply = ReplyReader::new(self.redis.run_call(call, Effect::Prepare).await?)?;
        Ok(reply.word() == "forgotten")
    }
}
