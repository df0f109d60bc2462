use api::user::{ListCompetitionsRequest, ListCompetitionsResponse};
use integration_tests::{DAY, Startlist, all_pages, assert_rejected, from_now, reason};
use tonic::Status;

async fn list(
    app: &Startlist,
    request: ListCompetitionsRequest,
) -> Result<ListCompetitionsResponse, Status> {
    let reply = app.user_service().list_competitions(request).await?;
    Ok(reply.into_inner())
}

/// The titles of all pages of one item.
async fn titles(app: &Startlist, request: ListCompetitionsRequest) -> Vec<String> {
    let competitions = all_pages(async |page_token| {
        let request = ListCompetitionsRequest {
            page_size: 1,
            page_token,
            ..request
        };
        let page = list(app, request).await.expect("a page");
        (page.competitions, page.next_page_token)
    });
    let titles = competitions.await.into_iter().map(|one| one.title);
    titles.collect()
}

#[tokio::test]
async fn the_list_is_ordered_by_start_and_can_be_narrowed() {
    let app = Startlist::start().await;
    for (title, day) in [("third", 3), ("first", 1), ("fourth", 4)] {
        app.competition()
            .title(title)
            .starts_in(day * DAY)
            .open()
            .await;
    }
    app.competition()
        .title("draft")
        .starts_in(2 * DAY)
        .draft()
        .await;
    let cancelled = app.competition().title("cancelled").starts_in(5 * DAY);
    let cancelled = cancelled.open().await;
    app.organiser()
        .await
        .cancel(&cancelled)
        .await
        .expect("cancelled");

    let all = titles(&app, ListCompetitionsRequest::default()).await;
    assert_eq!(all, ["first", "third", "fourth", "cancelled"]);
    let open = ListCompetitionsRequest {
        open_only: true,
        ..Default::default()
    };
    assert_eq!(titles(&app, open).await, ["first", "third", "fourth"]);
    let between = ListCompetitionsRequest {
        starts_after: Some(from_now(2 * DAY)),
        starts_before: Some(from_now(4 * DAY - 60)),
        ..Default::default()
    };
    assert_eq!(titles(&app, between).await, ["third"]);
}

#[tokio::test]
async fn a_page_token_is_valid_only_with_the_filters_that_it_was_made_for() {
    let app = Startlist::start().await;
    for day in 1..=3 {
        app.competition().starts_in(day * DAY).open().await;
    }
    let first = ListCompetitionsRequest {
        page_size: 1,
        ..Default::default()
    };
    let page_token = list(&app, first).await.expect("a page").next_page_token;
    assert!(!page_token.is_empty());

    let with_token = |page_token: &str| ListCompetitionsRequest {
        page_token: page_token.to_owned(),
        ..Default::default()
    };
    let mut other_filters = [with_token(&page_token), with_token(&page_token)];
    other_filters[0].open_only = true;
    other_filters[1].starts_after = Some(from_now(0));
    let tampered = [&format!("{page_token}x"), &page_token[1..], "x"].map(with_token);
    for request in other_filters.into_iter().chain(tampered) {
        let refusal = assert_rejected(list(&app, request).await, reason::INVALID_FIELDS);
        assert_eq!(refusal.wrong_fields(), ["page_token"]);
    }
    let another_size = ListCompetitionsRequest {
        page_size: 2,
        ..with_token(&page_token)
    };
    let page = list(&app, another_size).await;
    page.expect("the size may change from page to page");
}

#[tokio::test]
async fn a_page_has_50_items_by_default_and_200_at_most() {
    let app = Startlist::start().await;
    for _ in 0..201 {
        app.competition().open().await;
    }
    for (requested, returned) in [(0, 50), (7, 7), (200, 200), (1000, 200)] {
        let request = ListCompetitionsRequest {
            page_size: requested,
            ..Default::default()
        };
        let page = list(&app, request).await.expect("a page");
        assert_eq!(page.competitions.len(), returned, "page_size {requested}");
    }
}
