use api::admin::CreateCompetitionRequest;
use api::v1::{Competition, CompetitionState};
use integration_tests::{Admin, Startlist, assert_rejected};
use tonic::{Code, Status};

async fn create(
    admin: &Admin,
    competition: Competition,
    id: Option<&str>,
) -> Result<Competition, Status> {
    let request = CreateCompetitionRequest {
        competition: Some(competition),
        competition_id: id.map(str::to_owned),
        request_id: String::new(),
    };
    let answer = admin
        .calls()
        .create_competition(request)
        .await?
        .into_inner();
    Ok(answer.competition.expect("a competition"))
}

#[tokio::test]
async fn a_new_competition_is_a_draft_with_all_that_was_written() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let written = Competition {
        description: "Two lines,\nand a tab:\t🏃".to_owned(),
        venue: "Marktplatz".to_owned(),
        country_code: "CH".to_owned(),
        ..app
            .competition()
            .capacity(10)
            .waitlist_capacity(0)
            .message()
    };
    let made = create(&olga, written.clone(), None).await.expect("created");
    assert_eq!((made.state(), made.revision), (CompetitionState::Draft, 1));
    assert_eq!((made.confirmed_count, made.waitlisted_count), (0, 0));
    assert_eq!(made.created_at, made.updated_at);
    let answered = Competition {
        competition_id: String::new(),
        state: written.state,
        revision: written.revision,
        created_at: None,
        updated_at: None,
        etag: String::new(),
        ..made.clone()
    };
    assert_eq!(answered, written);
    assert_eq!(olga.competition(&made).await, made);
}

#[tokio::test]
async fn what_only_the_server_may_say_is_ignored() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let claimed = Competition {
        competition_id: "claimed".to_owned(),
        state: CompetitionState::Published.into(),
        confirmed_count: 99,
        revision: 99,
        etag: "v99".to_owned(),
        ..app.competition().message()
    };
    let made = create(&olga, claimed, None).await.expect("created");
    assert_ne!(made.competition_id, "claimed");
    assert_eq!(
        (made.state(), made.confirmed_count, made.revision),
        (CompetitionState::Draft, 0, 1)
    );
}

#[tokio::test]
async fn an_id_of_ones_own_is_taken_once_for_good() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().message();
    let made = create(&olga, race.clone(), Some("city-run"))
        .await
        .expect("created");
    assert_eq!(made.competition_id, "city-run");
    let answer = create(&olga, race.clone(), Some("city-run")).await;
    let refusal = assert_rejected(answer, Code::AlreadyExists, "COMPETITION_ID_TAKEN");
    assert_eq!(refusal.fact("competition_id"), "city-run");

    let made = create(&olga, race, Some(""))
        .await
        .expect("empty = the server makes one");
    assert!(made.competition_id.len() >= 3);
}
