//! Adds a registration for an organiser, in two slots: first the user's index, then the
//! competition. A call that is cut off in between leaves an index entry, as in [`super::register`].
//! A refused call leaves none: the user and the competition must exist before the index is written,
//! and if the competition refuses, the new entry is deleted.

use domain::{AddOptions, AdminId, CompetitionId, RequestId, UserId};

use super::register::is_of_competition;
use crate::competitions::Competitions;
use crate::error::Result;
use crate::redis::{Redis, write_deadline};
use crate::registrations::{IndexEntry, OrganiserRegistration, Registrations, UserIndex};
use crate::scripts::add::Add;
use crate::users::{Users, user_not_found};

/// Adds registrations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AddRegistration {
    pub(crate) redis: Redis,
    pub(crate) index: UserIndex,
    pub(crate) competitions: Competitions,
    pub(crate) registrations: Registrations,
    pub(crate) users: Users,
}

impl AddRegistration {
    pub(crate) async fn run(
        &self,
        by: &AdminId,
        competition: &CompetitionId,
        user: &UserId,
        options: AddOptions,
        request: RequestId,
    ) -> Result<OrganiserRegistration> {
        tokio::try_join!(self.users.get(user), self.competitions.get(competition))?;
        let now = self.redis.current_time().await?;
        let entry = IndexEntry::of_admin(competition, now);
        let written = self.index.write(user, &entry).await?;
        if !written.has_account {
            self.index.delete_refused(&[(user, &entry)]).await;
            return Err(user_not_found(user).into());
        }
        let add = Add {
            competition,
            user,
            by,
            options,
            request,
            deadline: write_deadline(now),
        };
        let added = self.redis.run(&add).await;
        if written.is_new && added.as_ref().is_err_and(is_of_competition) {
            self.index.delete_refused(&[(user, &entry)]).await;
        }
        let added = added?;
        let Some(found) = self.users.find(user).await? else {
            // The account was erased in the meantime. Nobody else would give up the place.
            self.registrations
                .erase(user, competition, RequestId::random())
                .await?;
            return Err(user_not_found(user).into());
        };
        Ok(OrganiserRegistration::new(added, Some(found)))
    }
}
