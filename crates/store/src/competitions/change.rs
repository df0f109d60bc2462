//! Competitions made, changed, published, cancelled, deleted.

use deadpool_redis::redis::cmd;
use domain::{
    AdminId, Competition, CompetitionDetails, CompetitionId, CompetitionPatch, Etag, Reason,
    Rejected, Rejection, RequestId, Revision,
};

use super::read::competition_not_found;
use crate::error::{Error, Result};
use crate::fingerprint::fingerprint;
use crate::records::competition;
use crate::redis::{Effect, write_deadline};
use crate::redis::{ReplyReader, decode};
use crate::script::{self, Call};
use crate::{Store, keys};

/// What to make.
#[derive(Debug, Clone)]
pub struct NewCompetition {
    /// The organiser's own slug, or `None` for one that the store makes.
    pub id: Option<CompetitionId>,
    /// What the organiser says of it.
    pub details: CompetitionDetails,
    /// Which intention this is.
    pub request_id: RequestId,
}

/// Why a competition was not updated.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The patched record would be wrong.
    #[error(transparent)]
    Invalid(#[from] domain::InvalidFields),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Store {
    /// Makes a competition as a draft, at revision 1.
    pub async fn create_competition(
        &self,
        by: &AdminId,
        new: NewCompetition,
    ) -> Result<Competition> {
        let request = new.request_id;
        let id = if let Some(slug) = new.id {
            slug
        } else {
            let made = self
                .installation
                .made_id("competition", by.as_str(), request);
            CompetitionId::from_bytes(made.await?)
        };
        self.enter_in_catalogue(&id, new.details.schedule).await?;
        let print = fingerprint(&("create", by, &id, &new.details))?;
        let mut call = script::CREATE_COMPETITION
            .on(&keys::Competition::of(&id).for_organisers(request))
            .arg(by.as_str())
            .arg(request.to_string())
            .arg(print)
            .arg(competition::json(&competition::to_fields(&new.details))?)
            .arg(write_deadline(self.redis.current_time().await?));
        call = with_fields(call, &new.details);
        let reply = ReplyReader::new(self.redis.run_call(call, Effect::Decide).await?)?;
        match reply.word() {
            "changed" => competition::parse(id, reply.into_fields()),
            "taken" => Err(Rejected::from(Rejection::CompetitionIdTaken)
                .in_competition(&id)
                .into()),
            _ => Err(refused(reply, &id)),
        }
    }

    /// Changes what the patch names. With an etag only that version is changed; without one the
    /// patch is applied to whatever version is there.
    pub async fn update_competition(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        patch: &CompetitionPatch,
        etag: Option<&Etag>,
        request: RequestId,
    ) -> Result<Competition, UpdateError> {
        /// How many others may change the competition meanwhile, before the caller is asked to look.
        const MOST_CONFLICTS: usize = 16;
        let mut conflicts = 0;
        let print = fingerprint(&(
            "update",
            by,
            id,
            format!("{patch:?}"),
            etag.map(Etag::as_str),
        ))?;
        while conflicts < MOST_CONFLICTS {
            let read = self.get_competition(id).await;
            let is_repeated = self.is_remembered(id, request).await?;
            let old = match read {
                // A draft that was deleted since: the first answer stands.
                Err(Error::Rejected(_)) if is_repeated => {
                    return Ok(self.answer_again(by, id, request, &print).await?);
                }
                read => read?,
            };
            if !is_repeated && etag.is_some_and(|etag| *etag != old.etag()) {
                let old_etag = Rejected::from(Rejection::EtagMismatch).in_competition(id);
                return Err(Error::from(old_etag.at(old.revision)).into());
            }
            let details = match patch.apply(&old.details) {
                Ok(details) => details,
                // The answer of a repeated request is remembered, whatever the patch is to today's record.
                Err(_) if is_repeated => old.details.clone(),
                Err(invalid) => return Err(UpdateError::Invalid(invalid)),
            };
            if details.schedule != old.details.schedule {
                self.enter_in_catalogue(id, details.schedule).await?;
            }
            let (before, after) = competition::changed_fields(&old.details, &details);
            if before.is_empty() && !is_repeated {
                return Ok(old);
            }
            let call = script::UPDATE_COMPETITION
                .on(&keys::Competition::of(id).for_organisers(request))
                .arg(by.as_str())
                .arg(request.to_string())
                .arg(&print)
                .arg(competition::json(&before)?)
                .arg(competition::json(&after)?)
                .arg(old.changed_at_revision.get());
            let call = with_fields(call, &details);
            let mut reply = ReplyReader::new(self.redis.run_call(call, Effect::Decide).await?)?;
            match reply.word() {
                "unsettled" => {}
                "old_version" => conflicts += 1,
                "changed" => {
                    let updated = competition::parse(id.clone(), reply.into_fields())?;
                    let updated = self.finish_promotions(updated, request, &print).await?;
                    self.leave_catalogue(id, old.details.schedule, &updated.details)
                        .await;
                    return Ok(updated);
                }
                "capacity_below_confirmed" => {
                    let at = reply.revision()?;
                    let confirmed_count = reply.number()?;
                    let Some(capacity) = details.capacity else {
                        return Err(reply.unexpected().into());
                    };
                    let too_small = Rejection::CapacityBelowConfirmed {
                        capacity,
                        confirmed_count,
                    };
                    return Err(
                        Error::from(Rejected::from(too_small).in_competition(id).at(at)).into(),
                    );
                }
                _ => return Err(refused(reply, id).into()),
            }
        }
        Err(Error::from(Rejected::from(Rejection::EtagMismatch).in_competition(id)).into())
    }

    /// What an update was answered of a competition that is not there any more: an update of nothing.
    async fn answer_again(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        request: RequestId,
        print: &str,
    ) -> Result<Competition> {
        let call = script::UPDATE_COMPETITION
            .on(&keys::Competition::of(id).for_organisers(request))
            .arg(by.as_str())
            .arg(request.to_string())
            .arg(print)
            .arg("{}")
            .arg("{}")
            .arg(Revision::default().get());
        let reply = ReplyReader::new(self.redis.run_call(call, Effect::Decide).await?)?;
        match reply.word() {
            "changed" => competition::parse(id.clone(), reply.into_fields()),
            // Made again meanwhile, under the same id.
            "old_version" => Err(Rejected::from(Rejection::EtagMismatch)
                .in_competition(id)
                .into()),
            _ => Err(refused(reply, id)),
        }
    }

    /// Opens a draft to the public.
    pub async fn publish_competition(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        request: RequestId,
    ) -> Result<Competition> {
        self.change_state(id, || {
            organise(&script::PUBLISH_COMPETITION, "publish", by, id, request, "")
        })
        .await
    }

    /// Calls a published competition off.
    pub async fn cancel_competition(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        reason: &Reason,
        request: RequestId,
    ) -> Result<Competition> {
        let reason = reason.as_str();
        self.change_state(id, || {
            let call = organise(
                &script::CANCEL_COMPETITION,
                "cancel",
                by,
                id,
                request,
                reason,
            )?;
            Ok(call.arg(reason))
        })
        .await
    }

    async fn change_state(
        &self,
        id: &CompetitionId,
        call: impl Fn() -> Result<Call>,
    ) -> Result<Competition> {
        loop {
            let reply = ReplyReader::new(self.redis.run_call(call()?, Effect::Decide).await?)?;
            match reply.word() {
                "unsettled" => {}
                "changed" => return competition::parse(id.clone(), reply.into_fields()),
                _ => return Err(refused(reply, id)),
            }
        }
    }

    /// Deletes a draft. Its log stays.
    pub async fn delete_competition(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        request: RequestId,
    ) -> Result<()> {
        let draft = self.get_competition(id).await;
        let call = organise(&script::DELETE_COMPETITION, "delete", by, id, request, "")?;
        let reply = ReplyReader::new(self.redis.run_call(call, Effect::Decide).await?)?;
        if reply.word() != "changed" {
            return Err(refused(reply, id));
        }
        if let Ok(draft) = draft {
            self.remove_from_catalogue(id, draft.details.schedule).await;
        }
        Ok(())
    }

    /// Goes on with promotions until nobody is left with a claim, and answers how it ended.
    async fn finish_promotions(
        &self,
        updated: Competition,
        request: RequestId,
        print: &str,
    ) -> Result<Competition> {
        let capacity = updated.details.capacity;
        let is_full = capacity.is_some_and(|places| updated.confirmed_count >= places.get());
        if updated.waitlisted_count == 0 || is_full {
            return Ok(updated);
        }
        let keys = keys::Competition::of(&updated.id).for_organisers(request);
        self.change_state(&updated.id, || Ok(script::PROMOTE.on(&keys).arg(print)))
            .await
    }

    async fn is_remembered(&self, id: &CompetitionId, request: RequestId) -> Result<bool> {
        let keys = keys::Competition::of(id).for_organisers(request);
        let mut exists = cmd("EXISTS");
        exists.arg(keys.last());
        decode(self.redis.command(exists).await?)
    }
}

fn organise(
    script: &'static script::Script,
    action: &str,
    by: &AdminId,
    id: &CompetitionId,
    request: RequestId,
    reason: &str,
) -> Result<Call> {
    Ok(script
        .on(&keys::Competition::of(id).for_organisers(request))
        .arg(by.as_str())
        .arg(request.to_string())
        .arg(fingerprint(&(action, by, id, reason))?))
}

fn with_fields(mut call: Call, details: &CompetitionDetails) -> Call {
    for (name, value) in competition::to_fields(details) {
        call = call.arg(name).arg(value);
    }
    call
}

/// What every script about a competition says when it says no.
pub(crate) fn refused(mut reply: ReplyReader, id: &CompetitionId) -> Error {
    let rejection = match reply.word() {
        // Without the revision: a draft would be told from what does not exist.
        "no_competition" => return competition_not_found(id).into(),
        "not_draft" => Rejection::CompetitionNotDraft,
        "not_published" => Rejection::CompetitionNotPublished,
        "cancelled" => Rejection::CompetitionCancelled,
        "request_id_reused" => Rejection::RequestIdReused,
        "too_late" => return Error::TooLate,
        _ => return reply.unexpected(),
    };
    let rejected = Rejected::from(rejection).in_competition(id);
    match reply.optional() {
        Ok(Some(revision)) => rejected.at(Revision::new(revision)).into(),
        _ => rejected.into(),
    }
}
