//! How one gets in: a user registers, an organiser adds.

use deadpool_redis::redis::cmd;
use domain::{AddOptions, AdminId, CompetitionId, Registration, Rejection, RequestId, UserId};

use super::Entry;
use super::answer::read_held;
use super::rush::{Entrant, read_batch};
use crate::error::Result;
use crate::legacy::unreadable;
use crate::records::index_entry;
use crate::redis::ReplyReader;
use crate::redis::{Effect, write_deadline};
use crate::users::user_not_found;
use crate::{Store, keys, script};

impl Store {
    /// Registers a user: confirmed, or queued if no place is free.
    ///
    /// Two slots: first the user's index, which may hold too much, then the competition, which decides.
    /// The decision is refused 30 s after the index was written, so that an old index entry without a
    /// registration can be taken away safely.
    pub async fn register(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        let entrant = Entrant {
            user: user.clone(),
            request,
        };
        let decided = self.rush.submit(competition, entrant).await?;
        if !decided.has_account {
            // It was erased since the session was looked up, and nobody else would give the place up.
            self.withdraw_late(user, RequestId::random()).await?;
            return Err(Rejection::Unauthenticated.into());
        }
        read_held(decided.reply, user, competition).map(|held| held.registration)
    }

    /// Says what [`Store::register`] would answer now, and changes nothing.
    pub async fn preview_registration(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        let call = script::REGISTER
            .on(&keys::Competition::of(competition).for_registrations())
            .arg("preview")
            .arg(user.as_str())
            .arg(request.to_string())
            .arg(write_deadline(self.redis.current_time().await?));
        let answer = self.redis.run_call(call, Effect::Prepare).await?;
        let mut replies = read_batch(answer)?.unwrap_or_default();
        let reply = replies.pop().ok_or_else(|| unreadable("an empty batch"))?;
        read_held(reply, user, competition).map(|held| held.registration)
    }

    /// Adds a registration for an organiser.
    pub async fn add_registration(
        &self,
        by: &AdminId,
        competition: &CompetitionId,
        user: &UserId,
        options: AddOptions,
        request: RequestId,
    ) -> Result<Entry> {
        let now = self.redis.current_time().await?;
        let mut index = cmd("HSET");
        index
            .arg(keys::Account::of_user(user).added())
            .arg(competition.as_str())
            .arg(index_entry::new_value(now));
        self.redis.command(index).await?;
        // After the index: who erases the account sees either the entry or that there is no user.
        self.get_user(user).await?;
        let flag = |set: bool| if set { "1" } else { "0" };
        loop {
            let call = script::ADD
                .on(&keys::Competition::of(competition).for_registrations())
                .arg(user.as_str())
                .arg(request.to_string())
                .arg(by.as_str())
                .arg(flag(options.ignore_window))
                .arg(flag(options.over_capacity))
                .arg(write_deadline(now));
            let reply = ReplyReader::new(self.redis.run_call(call, Effect::Decide).await?)?;
            if reply.word() == "unsettled" {
                continue;
            }
            let held = read_held(reply, user, competition)?;
            if let Some(found) = self.find_user(user).await? {
                return Ok(held.of(Some(found)));
            }
            // The account was erased meanwhile, and nobody else would give the place up.
            self.withdraw_erased(user, competition).await?;
            return Err(user_not_found(user).into());
        }
    }
}
