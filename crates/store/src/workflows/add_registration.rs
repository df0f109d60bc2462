//! Adds a registration for an organiser, in two slots: first the user's index, then the
//! competition. A call that is cut off in between leaves an index entry, as in [`super::register`].

use domain::{AddOptions, AdminId, CompetitionId, RequestId, UserId};

use crate::error::Result;
use crate::redis::{Redis, write_deadline};
use crate::registrations::{OrganiserRegistration, Registrations, UserIndex};
use crate::scripts::add::Add;
use crate::users::{Users, user_not_found};

/// Adds registrations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AddRegistration {
    pub(crate) redis: Redis,
    pub(crate) index: UserIndex,
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
        let now = self.redis.current_time().await?;
        self.index.add_by_admin(user, competition, now).await?;
        // After the index entry: an erasure that this does not see finds the entry.
        self.users.get(user).await?;
        let add = Add {
            competition,
            user,
            by,
            options,
            request,
            deadline: write_deadline(now),
        };
        let added = self.redis.run(&add).await?;
        let Some(found) = self.users.find(user).await? else {
            // The account was erased in the meantime. Nobody else would give up the place.
            self.registrations
                .withdraw_erased(user, competition, RequestId::random())
                .await?;
            return Err(user_not_found(user).into());
        };
        Ok(OrganiserRegistration {
            registration: added.registration,
            user: Some(found),
            added_by: added.added_by,
        })
    }
}
