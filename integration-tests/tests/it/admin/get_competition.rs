use api::admin::GetCompetitionRequest;
use api::v1::CompetitionState;
use integration_tests::{Startlist, assert_rejected, reason};

#[tokio::test]
async fn admins_read_competitions_in_every_state() {
    let app = Startlist::start().await;
    let (olga, viewer) = (app.organiser().await, app.viewer().await);
    let draft = app.competition().draft().await;
    let published = app.competition().open().await;
    let cancelled = app.competition().open().await;
    olga.cancel(&cancelled).await.expect("cancelled");
    for (race, state) in [
        (draft, CompetitionState::Draft),
        (published, CompetitionState::Published),
        (cancelled, CompetitionState::Cancelled),
    ] {
        assert_eq!(viewer.competition(&race).await.state(), state);
    }
}

#[tokio::test]
async fn an_absent_competition_is_not_found() {
    let app = Startlist::start().await;
    let competition_id = "no-such-race".to_owned();
    let request = GetCompetitionRequest { competition_id };
    let reply = app.viewer().await.calls().get_competition(request).await;
    let refusal = assert_rejected(reply, reason::COMPETITION_NOT_FOUND);
    assert_eq!(refusal.fact("competition_id"), "no-such-race");
}
