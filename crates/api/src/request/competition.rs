//! Competitions: writing and rewriting them.

use domain::competition::Moments;
use domain::{
    Capacity, CompetitionDetails, CompetitionId, CompetitionPatch, Description, Etag,
    InvalidFields, RequestId, Schedule, Title, Venue, WaitlistCapacity,
};

use super::field::{chosen_id, country, request_id, required_moment, under};
use super::mask::{Changes, Mask};
use crate::{admin, v1};

/// A new competition.
#[derive(Debug, Clone)]
pub struct CreateCompetition {
    /// The id that the organiser chose, if any.
    pub competition_id: Option<CompetitionId>,
    /// What the organiser says of it.
    pub details: CompetitionDetails,
    /// Names the call.
    pub request_id: RequestId,
}

impl TryFrom<admin::CreateCompetitionRequest> for CreateCompetition {
    type Error = InvalidFields;

    fn try_from(request: admin::CreateCompetitionRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let competition_id = invalid.check("competition_id", chosen_id(request.competition_id));
        let details = invalid
            .require("competition", request.competition)
            .and_then(|competition| invalid.absorb(details(competition)));
        let request_id = invalid.check("request_id", request_id(&request.request_id));
        invalid.finish(|| {
            Some(Self {
                competition_id: competition_id?,
                details: details?,
                request_id: request_id?,
            })
        })
    }
}

/// A change of a competition.
#[derive(Debug, Clone)]
pub struct UpdateCompetition {
    /// Which competition.
    pub competition_id: CompetitionId,
    /// The named fields. The order of the moments is not checked yet: that takes the old ones too.
    pub patch: CompetitionPatch,
    /// The version that the change is meant for, if it was named.
    pub etag: Option<Etag>,
    /// Names the call.
    pub request_id: RequestId,
}

/// The fields of a competition that an organiser may change.
const CHANGEABLE: [&str; 10] = [
    "title",
    "description",
    "venue",
    "country_code",
    "starts_at",
    "ends_at",
    "registration_opens_at",
    "registration_closes_at",
    "capacity",
    "waitlist_capacity",
];

impl TryFrom<admin::UpdateCompetitionRequest> for UpdateCompetition {
    type Error = InvalidFields;

    fn try_from(request: admin::UpdateCompetitionRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let mask = Mask::parse(request.update_mask, &CHANGEABLE);
        let mask = invalid.check("update_mask", mask);
        let request_id = invalid.check("request_id", request_id(&request.request_id));
        let Some(competition) = invalid.require("competition", request.competition) else {
            return Err(invalid);
        };
        let etag = Etag::from_client(competition.etag.clone());
        let competition_id = invalid.check(
            "competition.competition_id",
            CompetitionId::parse(competition.competition_id.as_str()),
        );
        let patch = mask.and_then(|mask| {
            let mut wrong = InvalidFields::default();
            let patch = patch(&mask, competition, &mut wrong);
            let patch = wrong.finish(|| Some(patch));
            invalid.absorb(patch.map_err(|wrong| under("competition", &wrong)))
        });
        invalid.finish(|| {
            Some(Self {
                competition_id: competition_id?,
                patch: patch?,
                etag,
                request_id: request_id?,
            })
        })
    }
}

/// What is said of a new competition: a patch that names every field, with its moments in order.
fn details(competition: v1::Competition) -> Result<CompetitionDetails, InvalidFields> {
    let mut invalid = InvalidFields::default();
    let patch = patch(&Mask::All, competition, &mut invalid);
    let schedule = moments(&patch).and_then(|moments| invalid.absorb(Schedule::parse(moments)));
    let details = invalid.finish(|| {
        Some(CompetitionDetails {
            title: patch.title?,
            description: patch.description?,
            venue: patch.venue?,
            country_code: patch.country_code?,
            schedule: schedule?,
            capacity: patch.capacity?,
            waitlist_capacity: patch.waitlist_capacity?,
        })
    });
    details.map_err(|wrong| under("competition", &wrong))
}

fn moments(patch: &CompetitionPatch) -> Option<Moments> {
    Some(Moments {
        starts_at: patch.starts_at?,
        ends_at: patch.ends_at?,
        registration_opens_at: patch.registration_opens_at?,
        registration_closes_at: patch.registration_closes_at?,
    })
}

fn patch(
    mask: &Mask,
    competition: v1::Competition,
    invalid: &mut InvalidFields,
) -> CompetitionPatch {
    let v1::Competition {
        title,
        description,
        venue,
        country_code,
        starts_at,
        ends_at,
        registration_opens_at,
        registration_closes_at,
        capacity,
        waitlist_capacity,
        ..
    } = competition;
    let mut changes = Changes::new(mask, invalid);
    CompetitionPatch {
        title: changes.field("title", !title.is_empty(), || Title::parse(title)),
        description: changes.field("description", !description.is_empty(), || {
            Description::parse(description)
        }),
        venue: changes.field("venue", !venue.is_empty(), || Venue::parse(venue)),
        country_code: changes.field("country_code", !country_code.is_empty(), || {
            country(&country_code)
        }),
        starts_at: changes.field("starts_at", starts_at.is_some(), || {
            required_moment(starts_at)
        }),
        ends_at: changes.field("ends_at", ends_at.is_some(), || required_moment(ends_at)),
        registration_opens_at: changes.field(
            "registration_opens_at",
            registration_opens_at.is_some(),
            || required_moment(registration_opens_at),
        ),
        registration_closes_at: changes.field(
            "registration_closes_at",
            registration_closes_at.is_some(),
            || required_moment(registration_closes_at),
        ),
        capacity: changes.field("capacity", capacity.is_some(), || {
            let number = capacity.map(i64::from);
            number.map(Capacity::parse).transpose()
        }),
        waitlist_capacity: changes.field("waitlist_capacity", waitlist_capacity.is_some(), || {
            let number = waitlist_capacity.map(i64::from);
            number.map(WaitlistCapacity::parse).transpose()
        }),
    }
}

#[cfg(test)]
mod tests;
