use api::v1::{Competition, CompetitionState};
use integration_tests::{Startlist, assert_rejected, reason};

#[tokio::test]
async fn a_new_competition_is_a_draft_with_all_details_stored_unchanged() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let setup = app.competition().capacity(10).waitlist_capacity(0);
    let written = Competition {
        description: "Two lines,\nand a tab:\t🏃".to_owned(),
        venue: "Marktplatz".to_owned(),
        country_code: "CH".to_owned(),
        ..setup.message()
    };
    let created = olga.create(written.clone(), None).await.expect("created");
    assert_eq!(
        (created.state(), created.revision),
        (CompetitionState::Draft, 1)
    );
    assert_eq!((created.confirmed_count, created.waitlisted_count), (0, 0));
    assert_eq!(created.created_at, created.updated_at);
    let details = Competition {
        competition_id: String::new(),
        state: written.state,
        revision: written.revision,
        created_at: None,
        updated_at: None,
        etag: String::new(),
        ..created.clone()
    };
    assert_eq!(details, written);
    assert_eq!(olga.competition(&created).await, created);
}

#[tokio::test]
async fn fields_that_only_the_server_sets_are_ignored() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let forged = Competition {
        competition_id: "forged".to_owned(),
        state: CompetitionState::Published.into(),
        confirmed_count: 99,
        revision: 99,
        etag: "v99".to_owned(),
        ..app.competition().message()
    };
    let created = olga.create(forged, None).await.expect("created");
    assert_ne!(created.competition_id, "forged");
    assert_eq!(created.state(), CompetitionState::Draft);
    assert_eq!((created.confirmed_count, created.revision), (0, 1));
}

#[tokio::test]
async fn an_id_of_the_clients_choice_can_be_used_once() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().message();
    let created = olga.create(race.clone(), Some("city-run")).await;
    assert_eq!(created.expect("created").competition_id, "city-run");
    let again = olga.create(race.clone(), Some("city-run")).await;
    let refusal = assert_rejected(again, reason::COMPETITION_ID_TAKEN);
    assert_eq!(refusal.fact("competition_id"), "city-run");

    let created = olga.create(race, Some("")).await.expect("created");
    assert!(created.competition_id.len() >= 3, "the server makes an id");
}
