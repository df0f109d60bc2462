use api::user::GetCompetitionRequest;
use api::v1::{Competition, CompetitionState};
use integration_tests::{Startlist, assert_rejected};
use tonic::{Code, Status};

async fn get(app: &Startlist, id: &str) -> Result<Competition, Status> {
    let request = GetCompetitionRequest {
        competition_id: id.to_owned(),
    };
    let answer = app
        .user_service()
        .get_competition(request)
        .await?
        .into_inner();
    Ok(answer.competition.expect("a competition"))
}

#[tokio::test]
async fn nobody_needs_an_account_to_look() {
    let app = Startlist::start().await;
    let race = app
        .competition()
        .capacity(1)
        .waitlist_capacity(5)
        .open()
        .await;
    for name in ["ada", "ben"] {
        app.new_user(name)
            .await
            .register(&race)
            .await
            .expect("in or waiting");
    }
    let found = get(&app, &race.competition_id).await.expect("it is public");
    assert_eq!((found.confirmed_count, found.waitlisted_count), (1, 1));
    assert_eq!(
        (found.capacity, found.waitlist_capacity),
        (Some(1), Some(5))
    );
    assert_eq!(found.revision, race.revision + 2);
    assert_eq!(
        (&found.etag, found.updated_at),
        (&race.etag, race.updated_at)
    );
}

#[tokio::test]
async fn a_draft_looks_like_nothing() {
    let app = Startlist::start().await;
    let draft = app.competition().draft().await;
    let refusals = [
        assert_rejected(
            get(&app, &draft.competition_id).await,
            Code::NotFound,
            "COMPETITION_NOT_FOUND",
        ),
        assert_rejected(
            get(&app, "no-such-thing").await,
            Code::NotFound,
            "COMPETITION_NOT_FOUND",
        ),
    ];
    assert_eq!(refusals[0].message, refusals[1].message);
    let resource = refusals[0].details.resource_info().expect("ResourceInfo");
    assert_eq!(resource.resource_type, "startlist.v1.Competition");
    assert_eq!(resource.resource_name, draft.competition_id);
}

#[tokio::test]
async fn a_cancelled_one_is_still_seen() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    app.organiser()
        .await
        .cancel(&race)
        .await
        .expect("cancelled");
    let found = get(&app, &race.competition_id).await.expect("it is public");
    assert_eq!(found.state(), CompetitionState::Cancelled);
}
