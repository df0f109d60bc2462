use api::user::GetCompetitionRequest;
use api::v1::{Competition, CompetitionState};
use integration_tests::{Startlist, assert_rejected, reason};

#[tokio::test]
async fn a_published_competition_is_public() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let draft = app.competition().draft().await;
    let published = olga.publish(&draft).await.expect("published");
    assert_eq!(published.state(), CompetitionState::Published);
    assert_eq!(published.revision, draft.revision + 1);
    let competition_id = draft.competition_id;
    let request = GetCompetitionRequest { competition_id };
    let reply = app.user_service().get_competition(request).await;
    assert_eq!(
        reply.expect("public").into_inner().competition,
        Some(published)
    );
}

#[tokio::test]
async fn only_a_draft_can_be_published() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    assert_rejected(olga.publish(&race).await, reason::COMPETITION_NOT_DRAFT);
    olga.cancel(&race).await.expect("cancelled");
    assert_rejected(olga.publish(&race).await, reason::COMPETITION_CANCELLED);
    let absent = Competition {
        competition_id: "no-such-race".to_owned(),
        ..race
    };
    assert_rejected(olga.publish(&absent).await, reason::COMPETITION_NOT_FOUND);
}
