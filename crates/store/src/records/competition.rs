//! A competition, stored as a hash with the field names of the contract. An empty field is absent.

use domain::competition::Moments;
use domain::{
    Competition, CompetitionDetails, CompetitionId, CompetitionState, CountryCode, Revision,
    Schedule, Timestamp,
};
use serde::Serialize;

use super::Fields;
use crate::error::{Error, Result};

/// The fields that an organiser sets.
pub(crate) fn to_fields(details: &CompetitionDetails) -> Vec<(&'static str, String)> {
    let Moments {
        starts_at,
        ends_at,
        registration_opens_at,
        registration_closes_at,
    } = details.schedule.moments();
    let millis = |moment: Timestamp| moment.as_millis().to_string();
    let text = |value: Option<String>| value.unwrap_or_default();
    vec![
        ("title", details.title.to_string()),
        ("description", details.description.to_string()),
        ("venue", details.venue.to_string()),
        (
            "country_code",
            text(details.country_code.map(|code| code.to_string())),
        ),
        ("starts_at", millis(starts_at)),
        ("ends_at", millis(ends_at)),
        ("registration_opens_at", millis(registration_opens_at)),
        ("registration_closes_at", millis(registration_closes_at)),
        (
            "capacity",
            text(details.capacity.map(|places| places.to_string())),
        ),
        (
            "waitlist_capacity",
            text(details.waitlist_capacity.map(|places| places.to_string())),
        ),
    ]
}

pub(crate) type NamedValues = Vec<(&'static str, String)>;

/// The fields that differ, before and after.
pub(crate) fn changed_fields(
    old: &CompetitionDetails,
    new: &CompetitionDetails,
) -> (NamedValues, NamedValues) {
    to_fields(old)
        .into_iter()
        .zip(to_fields(new))
        .filter(|(old, new)| old != new)
        .unzip()
}

/// A JSON object of names and values, for the log.
pub(crate) fn json(fields: &NamedValues) -> Result<String> {
    #[derive(Serialize)]
    #[serde(transparent)]
    struct Object<'a>(std::collections::BTreeMap<&'a str, &'a str>);
    let object = Object(
        fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect(),
    );
    serde_json::to_string(&object).map_err(|error| Error::Corrupt(error.to_string()))
}

/// Parses a competition from the fields of `meta`, to which the revision and the two counts are
/// added: `revision`, `confirmed_count`, `waitlisted_count`.
pub fn parse(id: CompetitionId, mut fields: Fields) -> Result<Competition> {
    let state = match fields.text("state").as_str() {
        "draft" => CompetitionState::Draft,
        "published" => CompetitionState::Published,
        "cancelled" => CompetitionState::Cancelled,
        other => return Err(Error::unreadable(format_args!("the state {other}"))),
    };
    let schedule = Schedule::parse(Moments {
        starts_at: fields.timestamp("starts_at")?,
        ends_at: fields.timestamp("ends_at")?,
        registration_opens_at: fields.timestamp("registration_opens_at")?,
        registration_closes_at: fields.timestamp("registration_closes_at")?,
    })
    .map_err(|_| Error::unreadable("the schedule of a competition"))?;
    let capacity: Option<i64> = fields.optional_number("capacity")?;
    let waitlist_capacity: Option<i64> = fields.optional_number("waitlist_capacity")?;
    Ok(Competition {
        details: CompetitionDetails {
            title: fields.get("title")?,
            description: fields.get("description")?,
            venue: fields.get("venue")?,
            country_code: fields.optional::<CountryCode>("country_code")?,
            schedule,
            capacity: capacity
                .map(domain::Capacity::parse)
                .transpose()
                .map_err(|_| Error::unreadable("a capacity"))?,
            waitlist_capacity: waitlist_capacity
                .map(domain::WaitlistCapacity::parse)
                .transpose()
                .map_err(|_| Error::unreadable("a capacity"))?,
        },
        state,
        confirmed_count: fields.number("confirmed_count")?,
        waitlisted_count: fields.number("waitlisted_count")?,
        revision: Revision::new(fields.number("revision")?),
        changed_at_revision: Revision::new(fields.number("changed_at_revision")?),
        created_at: fields.timestamp("created_at")?,
        updated_at: fields.timestamp("updated_at")?,
        id,
    })
}
