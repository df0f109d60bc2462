use super::*;
use crate::request::paths;
use prost_types::{FieldMask, Timestamp};

fn at(seconds: i64) -> Timestamp {
    Timestamp { seconds, nanos: 0 }
}

fn spring_cup() -> v1::Competition {
    v1::Competition {
        competition_id: "spring-cup".to_owned(),
        title: "Spring Cup".to_owned(),
        registration_opens_at: Some(at(100)),
        registration_closes_at: Some(at(200)),
        starts_at: Some(at(300)),
        ends_at: Some(at(400)),
        ..Default::default()
    }
}

fn create(competition: v1::Competition) -> Result<CreateCompetition, InvalidFields> {
    CreateCompetition::try_from(admin::CreateCompetitionRequest {
        competition: Some(competition),
        ..Default::default()
    })
}

fn update(competition: v1::Competition, mask: &[&str]) -> Result<UpdateCompetition, InvalidFields> {
    let paths = mask.iter().copied().map(String::from).collect();
    UpdateCompetition::try_from(admin::UpdateCompetitionRequest {
        competition: Some(competition),
        update_mask: Some(FieldMask { paths }),
        request_id: String::new(),
    })
}

#[test]
fn a_created_competition_reads_as_it_was_written() {
    let written = v1::Competition {
        description: "Bring\nyour own board".to_owned(),
        venue: "Town Hall".to_owned(),
        country_code: "CH".to_owned(),
        capacity: Some(12),
        waitlist_capacity: Some(0),
        competition_id: String::new(),
        ..spring_cup()
    };
    let created = create(written.clone()).expect("a competition");
    assert_eq!(v1::Competition::from(created.details), written);
    assert_eq!(created.competition_id, None);
}

#[test]
fn a_competition_needs_a_title_and_four_times() {
    let error = create(v1::Competition::default()).expect_err("refused");
    assert_eq!(
        paths(&error),
        [
            "competition.title",
            "competition.starts_at",
            "competition.ends_at",
            "competition.registration_opens_at",
            "competition.registration_closes_at",
        ]
    );
}

#[test]
fn every_invalid_field_is_reported_even_the_order_of_the_times() {
    let request = admin::CreateCompetitionRequest {
        competition: Some(v1::Competition {
            title: "x".repeat(121),
            ends_at: Some(at(300)),
            registration_closes_at: Some(at(301)),
            capacity: Some(-1),
            waitlist_capacity: Some(1_000_001),
            ..spring_cup()
        }),
        competition_id: Some("Spring Cup".to_owned()),
        request_id: "7".to_owned(),
    };
    let error = CreateCompetition::try_from(request).expect_err("refused");
    assert_eq!(
        paths(&error),
        [
            "competition_id",
            "competition.title",
            "competition.capacity",
            "competition.waitlist_capacity",
            "competition.ends_at",
            "competition.registration_closes_at",
            "request_id",
        ]
    );
}

#[test]
fn a_negative_capacity_is_refused_with_its_range() {
    let competition = v1::Competition {
        capacity: Some(-1),
        ..spring_cup()
    };
    let error = create(competition).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "competition.capacity must be from 1 to 1000000"
    );
}

#[test]
fn without_a_mask_only_the_fields_that_are_set_change() {
    let competition = v1::Competition {
        competition_id: "spring-cup".to_owned(),
        capacity: Some(9),
        ..Default::default()
    };
    let patch = update(competition, &[]).expect("an update").patch;
    let capacity = Some(Capacity::parse(9).ok());
    assert_eq!(
        patch,
        CompetitionPatch {
            capacity,
            ..Default::default()
        }
    );
}

#[test]
fn a_named_capacity_that_is_absent_means_no_limit() {
    let patch = update(spring_cup(), &["capacity"])
        .expect("an update")
        .patch;
    assert_eq!((patch.capacity, patch.title), (Some(None), None));
}

#[test]
fn a_full_replacement_needs_what_a_new_competition_needs() {
    let competition = v1::Competition {
        starts_at: None,
        title: String::new(),
        ..spring_cup()
    };
    let error = update(competition, &["*"]).expect_err("refused");
    assert_eq!(
        paths(&error),
        ["competition.title", "competition.starts_at"]
    );
    assert!(update(spring_cup(), &["*"]).is_ok());
}

#[test]
fn an_output_only_field_cannot_be_changed() {
    for output_only in ["competition_id", "state", "revision", "etag"] {
        let error = update(spring_cup(), &[output_only]).expect_err("refused");
        assert_eq!(paths(&error), ["update_mask"], "{output_only}");
    }
}

#[test]
fn an_update_without_a_competition_is_refused() {
    let request = admin::UpdateCompetitionRequest::default();
    let error = UpdateCompetition::try_from(request).expect_err("refused");
    assert_eq!(paths(&error), ["competition"]);
    let error = update(v1::Competition::default(), &[]).expect_err("refused");
    assert_eq!(paths(&error), ["competition.competition_id"]);
}
