//! Creates, publishes, cancels and deletes competitions. The record and the catalogue are in two
//! slots: an entry of the catalogue is added before the record is written and removed after the
//! record is gone, so that a call that is cut off leaves at most an outdated entry, which readers
//! drop.
//!
//! See [`super::update_competition`] for updates.

use domain::{AdminId, Competition, CompetitionId, Reason, RequestId};

use crate::competitions::{Catalogue, Competitions, NewCompetition};
use crate::error::Result;
use crate::fingerprint::fingerprint;
use crate::installation::Installation;
use crate::records::competition;
use crate::redis::{Redis, write_deadline};
use crate::scripts::cancel_competition::CancelCompetition;
use crate::scripts::create_competition::CreateCompetition;
use crate::scripts::delete_competition::DeleteCompetition;
use crate::scripts::organiser::OrganiserRequest;
use crate::scripts::publish_competition::PublishCompetition;

/// Edits competitions for organisers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct CompetitionEditor {
    pub(crate) redis: Redis,
    pub(crate) installation: Installation,
    pub(crate) competitions: Competitions,
    pub(crate) catalogue: Catalogue,
}

impl CompetitionEditor {
    /// Creates a competition as a draft.
    pub(crate) async fn create(&self, by: &AdminId, new: NewCompetition) -> Result<Competition> {
        let NewCompetition {
            id,
            details,
            request_id: request,
        } = new;
        let id = if let Some(id) = id {
            id
        } else {
            let made = self
                .installation
                .made_id("competition", by.as_str(), request);
            CompetitionId::from_bytes(made.await?)
        };
        self.catalogue.add(&id, details.schedule).await?;
        let create = CreateCompetition {
            organiser: OrganiserRequest {
                competition: &id,
                by,
                request,
                fingerprint: fingerprint(&("create", by, &id, &details))?,
            },
            details: &details,
            after: competition::json(&competition::to_fields(&details))?,
            deadline: write_deadline(self.redis.current_time().await?),
        };
        self.redis.run(&create).await
    }

    pub(crate) async fn publish(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        request: RequestId,
    ) -> Result<Competition> {
        let publish = PublishCompetition(organiser_request("publish", by, id, "", request)?);
        self.redis.run(&publish).await
    }

    /// Cancels a published competition. Its records are kept.
    pub(crate) async fn cancel(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        reason: &Reason,
        request: RequestId,
    ) -> Result<Competition> {
        let cancel = CancelCompetition {
            organiser: organiser_request("cancel", by, id, reason.as_str(), request)?,
            reason,
        };
        self.redis.run(&cancel).await
    }

    /// Deletes a draft. Its log is kept.
    pub(crate) async fn delete(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        request: RequestId,
    ) -> Result<()> {
        // Read before, because the schedule names the entry of the catalogue.
        let draft = self.competitions.get(id).await;
        let delete = DeleteCompetition(organiser_request("delete", by, id, "", request)?);
        self.redis.run(&delete).await?;
        if let Ok(draft) = draft {
            self.catalogue.remove(id, draft.details.schedule).await;
        }
        Ok(())
    }
}

fn organiser_request<'a>(
    action: &str,
    by: &'a AdminId,
    competition: &'a CompetitionId,
    reason: &str,
    request: RequestId,
) -> Result<OrganiserRequest<'a>> {
    Ok(OrganiserRequest {
        competition,
        by,
        request,
        fingerprint: fingerprint(&(action, by, competition, reason))?,
    })
}
