use api::admin::ListCompetitionsRequest;
use api::v1::CompetitionState;
use integration_tests::{DAY, Startlist, from_now};

/// The titles of all pages, in their order.
async fn titles(app: &Startlist, mut request: ListCompetitionsRequest) -> Vec<String> {
    let viewer = app.viewer().await;
    let mut titles = Vec::new();
    loop {
        let page = viewer.calls().list_competitions(request.clone()).await;
        let page = page.expect("a page").into_inner();
        titles.extend(page.competitions.into_iter().map(|one| one.title));
        if page.next_page_token.is_empty() {
            return titles;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn they_come_by_their_start_in_every_state_or_in_those_that_are_named() {
    let app = Startlist::start().await;
    app.competition()
        .title("published")
        .starts_in(3 * DAY)
        .open()
        .await;
    app.competition()
        .title("draft")
        .starts_in(DAY)
        .draft()
        .await;
    let cancelled = app
        .competition()
        .title("cancelled")
        .starts_in(2 * DAY)
        .open()
        .await;
    app.organiser()
        .await
        .cancel(&cancelled)
        .await
        .expect("cancelled");

    let all = ListCompetitionsRequest {
        page_size: 2,
        ..Default::default()
    };
    assert_eq!(titles(&app, all).await, ["draft", "cancelled", "published"]);
    let some = ListCompetitionsRequest {
        states: vec![
            CompetitionState::Draft.into(),
            CompetitionState::Published.into(),
        ],
        ..Default::default()
    };
    assert_eq!(titles(&app, some).await, ["draft", "published"]);
    let between = ListCompetitionsRequest {
        starts_after: Some(from_now(DAY + 60)),
        starts_before: Some(from_now(3 * DAY - 60)),
        ..Default::default()
    };
    assert_eq!(titles(&app, between).await, ["cancelled"]);
}

#[tokio::test]
async fn one_that_is_moved_is_listed_once_at_its_new_start() {
    let app = Startlist::start().await;
    app.competition()
        .title("stays")
        .starts_in(5 * DAY)
        .open()
        .await;
    let mut moved = app
        .competition()
        .title("moved")
        .starts_in(2 * DAY)
        .open()
        .await;
    moved.starts_at = Some(from_now(8 * DAY));
    moved.ends_at = Some(from_now(9 * DAY));
    let olga = app.organiser().await;
    olga.update(moved, &["starts_at", "ends_at"])
        .await
        .expect("moved");
    assert_eq!(
        titles(&app, ListCompetitionsRequest::default()).await,
        ["stays", "moved"]
    );
}
