use api::user::{ListCompetitionsRequest, ListCompetitionsResponse};
use integration_tests::{DAY, Startlist, assert_rejected, from_now};
use tonic::{Code, Status};

async fn list(
    app: &Startlist,
    request: ListCompetitionsRequest,
) -> Result<ListCompetitionsResponse, Status> {
    let answer = app.user_service().list_competitions(request).await?;
    Ok(answer.into_inner())
}

/// The titles of all pages, in their order.
async fn titles(app: &Startlist, mut request: ListCompetitionsRequest) -> Vec<String> {
    let mut titles = Vec::new();
    loop {
        let page = list(app, request.clone()).await.expect("a page");
        titles.extend(
            page.competitions
                .into_iter()
                .map(|competition| competition.title),
        );
        if page.next_page_token.is_empty() {
            return titles;
        }
        request.page_token = page.next_page_token;
    }
}

/// Competitions in three states, starting in 3, 1, 2 and 4 days.
async fn four(app: &Startlist) {
    app.competition()
        .title("third")
        .starts_in(3 * DAY)
        .open()
        .await;
    app.competition().title("first").starts_in(DAY).open().await;
    app.competition()
        .title("a draft")
        .starts_in(2 * DAY)
        .draft()
        .await;
    let cancelled = app
        .competition()
        .title("fourth")
        .starts_in(4 * DAY)
        .open()
        .await;
    app.organiser()
        .await
        .cancel(&cancelled)
        .await
        .expect("cancelled");
}

#[tokio::test]
async fn they_come_by_their_start_and_drafts_do_not_exist() {
    let app = Startlist::start().await;
    four(&app).await;
    assert_eq!(
        titles(&app, ListCompetitionsRequest::default()).await,
        ["first", "third", "fourth"]
    );
}

#[tokio::test]
async fn a_list_can_be_narrowed() {
    let app = Startlist::start().await;
    four(&app).await;
    let open = ListCompetitionsRequest {
        open_only: true,
        ..Default::default()
    };
    assert_eq!(titles(&app, open).await, ["first", "third"]);

    let starts = |after: i64, before: i64| ListCompetitionsRequest {
        starts_after: Some(from_now(after)),
        starts_before: Some(from_now(before)),
        ..Default::default()
    };
    assert_eq!(
        titles(&app, starts(2 * DAY, 5 * DAY)).await,
        ["third", "fourth"]
    );
    assert_eq!(titles(&app, starts(0, 2 * DAY)).await, ["first"]);
}

#[tokio::test]
async fn what_is_closed_full_or_not_open_yet_is_told_apart() {
    let app = Startlist::start().await;
    let full = app
        .competition()
        .title("full")
        .capacity(1)
        .no_waitlist()
        .open()
        .await;
    app.new_user("ada")
        .await
        .register(&full)
        .await
        .expect("the last place");
    app.competition().title("closed").closed().open().await;
    app.competition()
        .title("not open yet")
        .not_open_yet()
        .open()
        .await;
    let open = ListCompetitionsRequest {
        open_only: true,
        ..Default::default()
    };
    assert_eq!(titles(&app, open).await, ["full"], "full ones are open too");
}

#[tokio::test]
async fn pages_hold_all_once_also_when_something_is_deleted_in_between() {
    let app = Startlist::start().await;
    for day in 1..=5 {
        let title = format!("day {day}");
        app.competition()
            .title(&title)
            .starts_in(day * DAY)
            .open()
            .await;
    }
    let draft = app.competition().starts_in(2 * DAY + 1).draft().await;
    let two = ListCompetitionsRequest {
        page_size: 2,
        ..Default::default()
    };
    let first = list(&app, two.clone()).await.expect("a page");
    app.organiser().await.delete(&draft).await.expect("deleted");

    let rest = ListCompetitionsRequest {
        page_token: first.next_page_token,
        ..two
    };
    let mut all: Vec<_> = first
        .competitions
        .into_iter()
        .map(|one| one.title)
        .collect();
    all.extend(titles(&app, rest).await);
    assert_eq!(all, ["day 1", "day 2", "day 3", "day 4", "day 5"]);
}

#[tokio::test]
async fn a_page_token_belongs_to_its_arguments() {
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

    let other = [
        ListCompetitionsRequest {
            open_only: true,
            ..Default::default()
        },
        ListCompetitionsRequest {
            starts_after: Some(from_now(0)),
            ..Default::default()
        },
    ];
    let tampered = [
        format!("{page_token}x"),
        page_token[1..].to_owned(),
        "x".to_owned(),
    ];
    let tampered = tampered.map(|page_token| ListCompetitionsRequest {
        page_token,
        ..Default::default()
    });
    let other = other.map(|request| ListCompetitionsRequest {
        page_token: page_token.clone(),
        ..request
    });
    for request in other.into_iter().chain(tampered) {
        let answer = list(&app, request).await;
        let refusal = assert_rejected(answer, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.wrong_fields(), ["page_token"]);
    }
    let another_size = ListCompetitionsRequest {
        page_size: 2,
        page_token,
        ..Default::default()
    };
    list(&app, another_size)
        .await
        .expect("the size may change from page to page");
}

#[tokio::test]
async fn a_page_has_50_unless_it_is_said_and_200_at_most() {
    let app = Startlist::start().await;
    for _ in 0..201 {
        app.competition().open().await;
    }
    for (asked, given) in [(0, 50), (7, 7), (200, 200), (1000, 200)] {
        let request = ListCompetitionsRequest {
            page_size: asked,
            ..Default::default()
        };
        let page = list(&app, request).await.expect("a page");
        assert_eq!(page.competitions.len(), given, "page_size {asked}");
    }
    let request = ListCompetitionsRequest {
        page_size: -1,
        ..Default::default()
    };
    let refusal = assert_rejected(
        list(&app, request).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.wrong_fields(), ["page_size"]);
}
