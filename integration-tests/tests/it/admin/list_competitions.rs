use api::admin::ListCompetitionsRequest;
use api::v1::CompetitionState;
use integration_tests::{DAY, Startlist, all_pages, from_now};

/// The titles of all pages of two items.
async fn titles(app: &Startlist, request: ListCompetitionsRequest) -> Vec<String> {
    let viewer = app.viewer().await;
    let competitions = all_pages(async |page_token| {
        let request = ListCompetitionsRequest {
            page_size: 2,
            page_token,
            ..request.clone()
        };
        let page = viewer.calls().list_competitions(request).await;
        let page = page.expect("a page").into_inner();
        (page.competitions, page.next_page_token)
    });
    let titles = competitions.await.into_iter().map(|one| one.title);
    titles.collect()
}

#[tokio::test]
async fn the_list_is_ordered_by_start_and_can_be_narrowed_by_state_and_start() {
    let app = Startlist::start().await;
    app.competition()
        .title("draft")
        .starts_in(DAY)
        .draft()
        .await;
    app.competition()
        .title("published")
        .starts_in(3 * DAY)
        .open()
        .await;
    let cancelled = app.competition().title("cancelled").starts_in(2 * DAY);
    let cancelled = cancelled.open().await;
    app.organiser()
        .await
        .cancel(&cancelled)
        .await
        .expect("cancelled");

    let all = ListCompetitionsRequest::default();
    assert_eq!(titles(&app, all).await, ["draft", "cancelled", "published"]);
    let states = [CompetitionState::Draft, CompetitionState::Published];
    let in_states = ListCompetitionsRequest {
        states: states.map(Into::into).into(),
        ..Default::default()
    };
    assert_eq!(titles(&app, in_states).await, ["draft", "published"]);
    let between = ListCompetitionsRequest {
        starts_after: Some(from_now(DAY + 60)),
        starts_before: Some(from_now(3 * DAY - 60)),
        ..Default::default()
    };
    assert_eq!(titles(&app, between).await, ["cancelled"]);
}

#[tokio::test]
async fn a_competition_that_was_moved_is_listed_once_at_its_new_start() {
    let app = Startlist::start().await;
    app.competition()
        .title("stays")
        .starts_in(5 * DAY)
        .open()
        .await;
    let moved = app.competition().title("moved").starts_in(2 * DAY);
    let mut moved = moved.open().await;
    moved.starts_at = Some(from_now(8 * DAY));
    moved.ends_at = Some(from_now(9 * DAY));
    let olga = app.organiser().await;
    let updated = olga.update(moved, &["starts_at", "ends_at"]).await;
    updated.expect("updated");
    let all = titles(&app, ListCompetitionsRequest::default()).await;
    assert_eq!(all, ["stays", "moved"]);
}
