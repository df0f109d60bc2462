use api::admin::PublishCompetitionRequest;
use api::user::GetCompetitionRequest;
use api::v1::{Competition, CompetitionState};
use integration_tests::{Admin, Startlist, assert_rejected};
use tonic::{Code, Status};

async fn publish(admin: &Admin, race: &Competition) -> Result<Competition, Status> {
    let request = PublishCompetitionRequest {
        competition_id: race.competition_id.clone(),
        ..Default::default()
    };
    let answer = admin
        .calls()
        .publish_competition(request)
        .await?
        .into_inner();
    Ok(answer.competition.expect("a competition"))
}

#[tokio::test]
async fn a_published_competition_is_seen_by_everybody() {
    let app = Startlist::start().await;
    let draft = app.competition().draft().await;
    let published = publish(&app.organiser().await, &draft)
        .await
        .expect("published");
    assert_eq!(published.state(), CompetitionState::Published);
    assert_eq!(published.revision, draft.revision + 1);
    let competition_id = draft.competition_id;
    let seen = app
        .user_service()
        .get_competition(GetCompetitionRequest { competition_id })
        .await;
    let seen = seen
        .expect("it is public")
        .into_inner()
        .competition
        .expect("a competition");
    assert_eq!(seen, published);
}

#[tokio::test]
async fn only_a_draft_can_be_published() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    assert_rejected(
        publish(&olga, &race).await,
        Code::FailedPrecondition,
        "COMPETITION_NOT_DRAFT",
    );
    olga.cancel(&race).await.expect("cancelled");
    assert_rejected(
        publish(&olga, &race).await,
        Code::FailedPrecondition,
        "COMPETITION_CANCELLED",
    );
    let nowhere = Competition {
        competition_id: "no-such-race".to_owned(),
        ..race
    };
    assert_rejected(
        publish(&olga, &nowhere).await,
        Code::NotFound,
        "COMPETITION_NOT_FOUND",
    );
}
