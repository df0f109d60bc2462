//! Competitions.

use domain::{Competition, CompetitionDetails, CompetitionState};

use super::number::{count, revision};
use super::time::timestamp;
use crate::v1;

impl From<Competition> for v1::Competition {
    fn from(competition: Competition) -> Self {
        let etag = competition.etag();
        Self {
            competition_id: competition.id.into(),
            state: v1::CompetitionState::from(competition.state).into(),
            confirmed_count: count(competition.confirmed_count),
            waitlisted_count: count(competition.waitlisted_count),
            revision: revision(competition.revision),
            created_at: Some(timestamp(competition.created_at)),
            updated_at: Some(timestamp(competition.updated_at)),
            etag: etag.as_str().to_owned(),
            ..competition.details.into()
        }
    }
}

/// Fills in the fields that an organiser writes and leaves the output-only ones empty.
impl From<CompetitionDetails> for v1::Competition {
    fn from(details: CompetitionDetails) -> Self {
        let moments = details.schedule.moments();
        Self {
            title: details.title.into(),
            description: details.description.into(),
            venue: details.venue.into(),
            country_code: details.country_code.map(String::from).unwrap_or_default(),
            starts_at: Some(timestamp(moments.starts_at)),
            ends_at: Some(timestamp(moments.ends_at)),
            registration_opens_at: Some(timestamp(moments.registration_opens_at)),
            registration_closes_at: Some(timestamp(moments.registration_closes_at)),
            capacity: details.capacity.map(|capacity| count(capacity.get())),
            waitlist_capacity: details.waitlist_capacity.map(|length| count(length.get())),
            ..Self::default()
        }
    }
}

impl From<CompetitionState> for v1::CompetitionState {
    fn from(state: CompetitionState) -> Self {
        match state {
            CompetitionState::Draft => Self::Draft,
            CompetitionState::Published => Self::Published,
            CompetitionState::Cancelled => Self::Cancelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::competition::Moments;
    use domain::{
        Capacity, CompetitionId, Description, Revision, Schedule, Timestamp, Title, Venue,
    };

    fn spring_cup() -> Competition {
        let at = |millis| Timestamp::from_millis(millis).expect("a moment");
        let schedule = Schedule::parse(Moments {
            registration_opens_at: at(1_000),
            registration_closes_at: at(2_000),
            starts_at: at(3_000),
            ends_at: at(4_000),
        });
        Competition {
            id: CompetitionId::parse("spring-cup").expect("an id"),
            details: CompetitionDetails {
                title: Title::parse("Spring Cup").expect("a title"),
                description: Description::parse("").expect("a description"),
                venue: Venue::parse("").expect("a venue"),
                country_code: None,
                schedule: schedule.expect("a schedule"),
                capacity: Capacity::parse(2).ok(),
                waitlist_capacity: None,
            },
            state: CompetitionState::Published,
            confirmed_count: 2,
            waitlisted_count: 1,
            revision: Revision::new(5),
            changed_at_revision: Revision::new(2),
            created_at: at(10),
            updated_at: at(20),
        }
    }

    #[test]
    fn an_absent_limit_is_absent_and_not_zero() {
        let competition = v1::Competition::from(spring_cup());
        assert_eq!(competition.capacity, Some(2));
        assert_eq!(competition.waitlist_capacity, None);
    }

    #[test]
    fn a_competition_has_the_details_and_the_output_only_fields() {
        let etag = spring_cup().etag();
        let competition = v1::Competition::from(spring_cup());
        assert_eq!(competition.title, "Spring Cup");
        assert_eq!(competition.state(), v1::CompetitionState::Published);
        assert_eq!(
            (competition.confirmed_count, competition.waitlisted_count),
            (2, 1)
        );
        assert_eq!(
            (competition.revision, competition.etag.as_str()),
            (5, etag.as_str())
        );
    }

    #[test]
    fn a_registration_does_not_change_the_etag() {
        let mut later = spring_cup();
        later.revision = Revision::new(6);
        let (before, after) = (
            v1::Competition::from(spring_cup()),
            v1::Competition::from(later),
        );
        assert_ne!(before.revision, after.revision);
        assert_eq!(before.etag, after.etag);
    }
}
