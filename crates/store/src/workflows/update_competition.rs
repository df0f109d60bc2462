//! Updates competitions. The patch is applied to the record that was read, and the script writes
//! the result if the record is still the same.

use deadpool_redis::redis::Cmd;
use domain::{
    AdminId, Competition, CompetitionDetails, CompetitionId, CompetitionPatch, Etag, InvalidFields,
    ReadOnlyCompetition, Rejected, Rejection, RequestId, Revision,
};

use super::edit_competition::CompetitionEditor;
use crate::error::Result;
use crate::fingerprint::fingerprint;
use crate::keys;
use crate::records::competition;
use crate::scripts::organiser::OrganiserRequest;
use crate::scripts::promote::Promote;
use crate::scripts::update_competition::{CompetitionUpdate, UpdateCompetition};

/// How often an update is tried again because another one came first.
const MAX_CONFLICTS: usize = 16;

/// An update that an organiser asks for.
pub(crate) struct RequestedUpdate<'a> {
    pub(crate) by: &'a AdminId,
    pub(crate) id: &'a CompetitionId,
    pub(crate) patch: &'a CompetitionPatch,
    /// Must be those of the competition that is changed.
    pub(crate) read_only: &'a ReadOnlyCompetition,
    /// The version to change; `None` = the current one.
    pub(crate) etag: Option<&'a Etag>,
    pub(crate) request: RequestId,
}

impl CompetitionEditor {
    /// Updates a competition. Fails with `Error::Invalid` if the patched details are not valid
    /// together, or if a read-only field differs.
    pub(crate) async fn update(&self, update: &RequestedUpdate<'_>) -> Result<Competition> {
        for _ in 0..MAX_CONFLICTS {
            if let Some(updated) = self.try_update(update).await? {
                return Ok(updated);
            }
        }
        Err(update.outdated().into())
    }

    /// Returns `None` if another update came first.
    async fn try_update(&self, update: &RequestedUpdate<'_>) -> Result<Option<Competition>> {
        // Read before the request is looked up: a read that sees the effect of the same request,
        // made by a call that runs at the same time, is then recognised as a repetition.
        let read = self.competitions.get(update.id).await;
        if let Some(first) = self.repeat(update).await? {
            return Ok(Some(first));
        }
        let old = read?;
        if update.etag.is_some_and(|etag| *etag != old.etag()) {
            return Err(update.outdated().at(old.revision).into());
        }
        let new = update.apply(&old)?;
        let (before, after) = competition::changed_fields(&old.details, &new);
        if before.is_empty() {
            return Ok(Some(old));
        }
        if new.schedule != old.details.schedule {
            self.catalogue.add(update.id, new.schedule).await?;
        }
        let script = UpdateCompetition {
            organiser: update.organiser_request(update.fingerprint()?),
            before: competition::json(&before)?,
            after: competition::json(&after)?,
            version: old.changed_at_revision,
            details: Some(&new),
        };
        let CompetitionUpdate::Updated(updated) = self.redis.run(&script).await? else {
            return Ok(None);
        };
        let updated = self.finish_promotions(updated, &script.organiser).await?;
        self.remove_old_start(&old.details, &updated).await;
        Ok(Some(updated))
    }

    /// Returns the first reply to a repeated request; `None` = the request is new. The competition
    /// may have been deleted since.
    async fn repeat(&self, update: &RequestedUpdate<'_>) -> Result<Option<Competition>> {
        let request = keys::competition_request(update.id, update.request);
        let stored: Option<String> = self.redis.read(Cmd::hget(request, "fingerprint")).await?;
        let Some(stored) = stored else {
            return Ok(None);
        };
        let is_former = stored == update.former_fingerprint()?;
        let fingerprint = if is_former {
            stored
        } else {
            update.fingerprint()?
        };
        // The script replies what it remembers before it reads its other arguments. No competition
        // has version 0, so it changes nothing if the request was forgotten in the meantime.
        let script = UpdateCompetition {
            organiser: update.organiser_request(fingerprint),
            before: "{}".to_owned(),
            after: "{}".to_owned(),
            version: Revision::default(),
            details: None,
        };
        match self.redis.run(&script).await? {
            CompetitionUpdate::Updated(first) => {
                let finished = self.finish_promotions(first, &script.organiser).await?;
                Ok(Some(finished))
            }
            CompetitionUpdate::OldVersion => Ok(None),
        }
    }

    /// Makes the promotions that are left over, and returns the competition afterwards.
    async fn finish_promotions(
        &self,
        updated: Competition,
        organiser: &OrganiserRequest<'_>,
    ) -> Result<Competition> {
        let capacity = updated.details.capacity;
        let is_full = capacity.is_some_and(|places| updated.confirmed_count >= places.get());
        if updated.waitlisted_count == 0 || is_full {
            return Ok(updated);
        }
        self.redis.run(&Promote { update: organiser }).await
    }

    /// Removes the entry of the former start from the catalogue.
    async fn remove_old_start(&self, old: &CompetitionDetails, updated: &Competition) {
        let starts_at = updated.details.schedule.moments().starts_at;
        if old.schedule.moments().starts_at != starts_at {
            self.catalogue.remove(&updated.id, old.schedule).await;
        }
    }
}

impl<'a> RequestedUpdate<'a> {
    /// Returns the details after the update, or all fields that are invalid.
    fn apply(&self, old: &Competition) -> Result<CompetitionDetails, InvalidFields> {
        let mut invalid = InvalidFields::default();
        invalid.absorb(self.read_only.check(old));
        match invalid.absorb(self.patch.apply(&old.details)) {
            Some(new) => invalid.into_result(new),
            None => Err(invalid),
        }
    }

    fn organiser_request(&self, fingerprint: String) -> OrganiserRequest<'a> {
        OrganiserRequest {
            competition: self.id,
            by: self.by,
            request: self.request,
            fingerprint,
        }
    }

    fn fingerprint(&self) -> Result<String> {
        let etag = self.etag.map(Etag::as_str);
        fingerprint(&("update_competition/2", self.by, self.id, self.patch, etag))
    }

    /// The fingerprint that was stored before 0.1.0, over the `Debug` form of the patch. A request
    /// that was made then must still be recognised for 24 hours. Can be removed in the release
    /// after 0.1.0.
    fn former_fingerprint(&self) -> Result<String> {
        let etag = self.etag.map(Etag::as_str);
        let patch = format!("{:?}", self.patch);
        fingerprint(&("update", self.by, self.id, patch, etag))
    }

    fn outdated(&self) -> Rejected {
        Rejected::from(Rejection::EtagMismatch).in_competition(self.id)
    }
}

#[cfg(test)]
mod tests {
    use domain::{Capacity, CountryCode, Description, Timestamp, Title, Venue, WaitlistCapacity};

    use super::*;

    #[test]
    fn the_former_fingerprint_does_not_change() {
        let patch = CompetitionPatch {
            title: Title::parse("Spring \"Cup\"").ok(),
            description: Description::parse("").ok(),
            venue: Venue::parse("Davos").ok(),
            country_code: CountryCode::parse("CH").ok().map(Some),
            starts_at: Timestamp::from_millis(3).ok(),
            ends_at: None,
            registration_opens_at: Timestamp::from_millis(1).ok(),
            registration_closes_at: None,
            capacity: Some(Capacity::parse(7).ok()),
            waitlist_capacity: Some(None::<WaitlistCapacity>),
        };
        assert_eq!(
            format!("{patch:?}"),
            "CompetitionPatch { title: Some(Title(\"Spring \\\"Cup\\\"\")), \
             description: Some(Description(\"\")), venue: Some(Venue(\"Davos\")), \
             country_code: Some(Some(CountryCode([67, 72]))), starts_at: Some(Timestamp(3)), \
             ends_at: None, registration_opens_at: Some(Timestamp(1)), \
             registration_closes_at: None, capacity: Some(Some(Capacity(7))), \
             waitlist_capacity: Some(None) }"
        );
    }
}
