//! Registrations as organisers see them: with the user, whose account is in another slot.

use domain::{AdminId, CompetitionId, Reason, RegistrationState, RequestId, UserId};

use crate::error::Result;
use crate::page::{Cursor, Page, PageRequest};
use crate::registrations::{OrganiserRegistration, Registrations};
use crate::scripts::described_registration::DescribedRegistration;
use crate::scripts::list_registrations::ListRegistrations;
use crate::users::Users;

/// Registrations with their users. Cheap to clone.
#[derive(Clone)]
pub(crate) struct OrganiserRegistrations {
    pub(crate) registrations: Registrations,
    pub(crate) users: Users,
}

impl OrganiserRegistrations {
    /// Reads the registration of a user in a competition in any state.
    pub(crate) async fn get(
        &self,
        competition: &CompetitionId,
        user: &UserId,
    ) -> Result<OrganiserRegistration> {
        let described = self.registrations.get(user, competition).await?;
        self.with_user(described).await
    }

    /// Removes a registration. A reason is kept only while the user has an account.
    pub(crate) async fn remove(
        &self,
        by: &AdminId,
        competition: &CompetitionId,
        user: &UserId,
        reason: &Reason,
        request: RequestId,
    ) -> Result<OrganiserRegistration> {
        let none = Reason::default();
        // Without this, the reason would exist for a moment long after the erasure.
        let has_account = self.users.find(user).await?.is_some();
        let reason = if has_account { reason } else { &none };
        let removed = self
            .registrations
            .remove(by, competition, user, reason, request)
            .await?;
        let entry = self.with_user(removed).await?;
        if entry.user.is_none() {
            // The erasure may have looked at this competition before the removal.
            self.registrations.erase(user, competition, request).await?;
        }
        Ok(entry)
    }

    /// Lists the registrations of a competition in these states, in the order of revision. Two
    /// round trips.
    pub(crate) async fn list(
        &self,
        competition: &CompetitionId,
        states: &[RegistrationState],
        page: &PageRequest,
    ) -> Result<Page<OrganiserRegistration>> {
        let list = ListRegistrations {
            competition,
            states,
            after: page.after_revision(),
            count: page.size,
            // Log entries of former states are skipped. The limit keeps one call from blocking
            // Redis.
            max_entries: page.size * 4,
        };
        let listed = self.registrations.list(&list).await?;
        let ids = listed.registrations.iter();
        let ids: Vec<_> = ids
            .map(|described| described.registration.user_id.clone())
            .collect();
        let users = self.users.find_many(&ids).await?;
        let items = listed.registrations.into_iter().zip(users);
        Ok(Page {
            items: items
                .map(|(described, user)| OrganiserRegistration::new(described, user))
                .collect(),
            next: listed.read_to.map(Cursor::of_revision),
        })
    }

    async fn with_user(&self, described: DescribedRegistration) -> Result<OrganiserRegistration> {
        let user = self.users.find(&described.registration.user_id).await?;
        Ok(OrganiserRegistration::new(described, user))
    }
}
