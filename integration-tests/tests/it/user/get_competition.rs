use api::user::GetCompetitionRequest;
use api::v1::{Competition, CompetitionState};
use integration_tests::{Startlist, assert_rejected, reason};
use tonic::Status;

async fn get(app: &Startlist, id: &str) -> Result<Competition, Status> {
    let request = GetCompetitionRequest {
        competition_id: id.to_owned(),
    };
    let reply = app.user_service().get_competition(request).await?;
    Ok(reply.into_inner().competition.expect("a competition"))
}

#[tokio::test]
async fn anyone_reads_a_published_or_cancelled_competition_without_an_account() {
    let app = Startlist::start().await;
    let race = app
        .competition()
        .capacity(1)
        .waitlist_capacity(5)
        .open()
        .await;
    app.registered(&race, ["ada", "ben"]).await;
    let found = get(&app, &race.competition_id).await.expect("public");
    assert_eq!((found.confirmed_count, found.waitlisted_count), (1, 1));
    assert_eq!(
        (found.capacity, found.waitlist_capacity),
        (Some(1), Some(5))
    );
    assert_eq!(found.revision, race.revision + 2);
    assert_eq!(
        found.etag, race.etag,
        "registrations do not change the etag"
    );
    assert_eq!(found.updated_at, race.updated_at);

    let olga = app.organiser().await;
    olga.cancel(&race).await.expect("cancelled");
    let found = get(&app, &race.competition_id).await.expect("public");
    assert_eq!(found.state(), CompetitionState::Cancelled);
}

#[tokio::test]
async fn a_draft_cannot_be_told_from_an_absent_competition() {
    let app = Startlist::start().await;
    let draft = app.competition().draft().await;
    let [hidden, absent] = [
        get(&app, &draft.competition_id).await,
        get(&app, "no-such-race").await,
    ]
    .map(|reply| assert_rejected(reply, reason::COMPETITION_NOT_FOUND));
    assert_eq!(hidden.message, absent.message);
    let resource = hidden.details.resource_info().expect("ResourceInfo");
    assert_eq!(resource.resource_type, "startlist.v1.Competition");
    assert_eq!(resource.resource_name, draft.competition_id);
}
