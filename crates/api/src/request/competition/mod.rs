//! Creating and updating competitions.

mod read_only;

use domain::competition::Moments;
use domain::{
    Capacity, CompetitionDetails, CompetitionId, CompetitionPatch, Description, Etag,
    InvalidFields, ReadOnlyCompetition, RequestId, Schedule, Title, Venue, WaitlistCapacity,
};

use super::field::{chosen_id, country, request_id, required_time};
use super::mask::{Mask, MaskedFields};
use crate::{admin, v1};
use read_only::read_only;

#[derive(Debug, Clone)]
pub struct CreateCompetition {
    /// The id that the organiser chose; `None` = the server makes one.
    pub competition_id: Option<CompetitionId>,
    pub details: CompetitionDetails,
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
        match (competition_id, details, request_id) {
            (Some(competition_id), Some(details), Some(request_id)) => Ok(Self {
                competition_id,
                details,
                request_id,
            }),
            _ => Err(invalid),
        }
    }
}

#[derive(Debug, Clone)]
pub struct UpdateCompetition {
    pub competition_id: CompetitionId,
    /// Its four times are not compared yet, because that takes the stored ones too.
    pub patch: CompetitionPatch,
    pub read_only: ReadOnlyCompetition,
    /// The version that the client read; `None` = overwrite any.
    pub etag: Option<Etag>,
    pub request_id: RequestId,
}

/// The fields that an organiser may change.
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
        let mask = mask.as_ref();
        let read_only = mask.map(|mask| read_only(mask, &competition));
        let patch = mask.and_then(|mask| invalid.absorb(patch(mask, competition)));
        match (competition_id, patch, read_only, request_id) {
            (Some(competition_id), Some(patch), Some(read_only), Some(request_id)) => Ok(Self {
                competition_id,
                patch,
                read_only,
                etag,
                request_id,
            }),
            _ => Err(invalid),
        }
    }
}

fn patch(mask: &Mask, competition: v1::Competition) -> Result<CompetitionPatch, InvalidFields> {
    let mut fields = MaskedFields::new(mask);
    let patch = parse_fields(&mut fields, competition);
    fields
        .into_invalid()
        .within("competition")
        .into_result(patch)
}

/// Parses a new competition: a patch that names every field, with its times in order.
fn details(competition: v1::Competition) -> Result<CompetitionDetails, InvalidFields> {
    let mut fields = MaskedFields::new(&Mask::All);
    let patch = parse_fields(&mut fields, competition);
    let mut invalid = fields.into_invalid();
    let schedule = moments(&patch).and_then(|moments| invalid.absorb(Schedule::parse(moments)));
    // A value is missing only if its field is invalid.
    complete(patch, schedule).ok_or_else(|| invalid.within("competition"))
}

/// Returns `None` if the patch lacks a field.
fn complete(patch: CompetitionPatch, schedule: Option<Schedule>) -> Option<CompetitionDetails> {
    Some(CompetitionDetails {
        title: patch.title?,
        description: patch.description?,
        venue: patch.venue?,
        country_code: patch.country_code?,
        schedule: schedule?,
        capacity: patch.capacity?,
        waitlist_capacity: patch.waitlist_capacity?,
    })
}

fn moments(patch: &CompetitionPatch) -> Option<Moments> {
    Some(Moments {
        starts_at: patch.starts_at?,
        ends_at: patch.ends_at?,
        registration_opens_at: patch.registration_opens_at?,
        registration_closes_at: patch.registration_closes_at?,
    })
}

fn parse_fields(fields: &mut MaskedFields, competition: v1::Competition) -> CompetitionPatch {
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
    CompetitionPatch {
        title: fields.parse("title", !title.is_empty(), || Title::parse(title)),
        description: fields.parse("description", !description.is_empty(), || {
            Description::parse(description)
        }),
        venue: fields.parse("venue", !venue.is_empty(), || Venue::parse(venue)),
        country_code: fields.parse("country_code", !country_code.is_empty(), || {
            country(&country_code)
        }),
        starts_at: fields.parse("starts_at", starts_at.is_some(), || {
            required_time(starts_at)
        }),
        ends_at: fields.parse("ends_at", ends_at.is_some(), || required_time(ends_at)),
        registration_opens_at: fields.parse(
            "registration_opens_at",
            registration_opens_at.is_some(),
            || required_time(registration_opens_at),
        ),
        registration_closes_at: fields.parse(
            "registration_closes_at",
            registration_closes_at.is_some(),
            || required_time(registration_closes_at),
        ),
        capacity: fields.parse("capacity", capacity.is_some(), || {
            let number = capacity.map(i64::from);
            number.map(Capacity::parse).transpose()
        }),
        waitlist_capacity: fields.parse("waitlist_capacity", waitlist_capacity.is_some(), || {
            let number = waitlist_capacity.map(i64::from);
            number.map(WaitlistCapacity::parse).transpose()
        }),
    }
}

#[cfg(test)]
mod tests;
