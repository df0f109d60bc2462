//! Many at the same moment, through the API.

use std::collections::HashSet;

use api::admin::{AuditAction, ListAuditEntriesRequest};
use api::v1::{Competition, RegistrationState};
use futures::future::{join_all, try_join_all};
use integration_tests::{Startlist, User};

const CONFIRMED: RegistrationState = RegistrationState::Confirmed;
const PLACES: i32 = 10;

/// So many users, made a hundred at a time.
async fn crowd(app: &Startlist, count: usize) -> Vec<User> {
    let names: Vec<_> = (0..count).map(|number| format!("user-{number}")).collect();
    let mut users = Vec::with_capacity(count);
    for hundred in names.chunks(100) {
        users.extend(join_all(hundred.iter().map(|name| app.new_user(name))).await);
    }
    users
}

/// The actions of the log, in their order.
async fn actions(app: &Startlist, race: &Competition) -> Vec<AuditAction> {
    let viewer = app.viewer().await;
    let mut actions = Vec::new();
    let mut request = ListAuditEntriesRequest {
        competition_id: race.competition_id.clone(),
        page_size: 200,
        page_token: String::new(),
    };
    loop {
        let page = viewer.calls().list_audit_entries(request.clone()).await;
        let page = page.expect("a page").into_inner();
        for entry in page.entries {
            actions.push(entry.action());
            let place = i64::try_from(actions.len()).expect("a few");
            assert_eq!(entry.revision, place, "no revision is left out");
        }
        if page.next_page_token.is_empty() {
            return actions;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_users_at_ten_places_get_ten_and_the_queue_is_whole() {
    let app = Startlist::start().await;
    let race = app.competition().capacity(PLACES).open().await;
    let users = crowd(&app, 1000).await;

    let registered = try_join_all(users.iter().map(|user| user.register(&race))).await;
    let registered = registered.expect("everybody is in or waits");
    let confirmed = registered
        .iter()
        .filter(|one| one.state() == CONFIRMED)
        .count();
    assert_eq!(confirmed, 10);
    let revisions: HashSet<_> = registered.iter().map(|one| one.revision).collect();
    assert_eq!(revisions.len(), 1000, "each has a revision of its own");
    let mut waiting: Vec<_> = registered
        .iter()
        .filter(|one| one.state() != CONFIRMED)
        .collect();
    waiting.sort_by_key(|one| one.revision);
    let positions = waiting.iter().map(|one| one.waitlist_position);
    assert!(
        positions.eq((1..=990).map(Some)),
        "the queue is in the order of revision"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_some_leave_others_come_and_no_place_is_lost_or_given_twice() {
    let app = Startlist::start().await;
    let race = app.competition().capacity(PLACES).open().await;
    let users = crowd(&app, 400).await;
    let (early, late) = users.split_at(200);
    let come = try_join_all(early.iter().map(|user| user.register(&race))).await;
    come.expect("everybody is in or waits");

    // All who are there leave, all others come, at once.
    let (left, joined) = tokio::join!(
        try_join_all(early.iter().map(|user| user.withdraw(&race))),
        try_join_all(late.iter().map(|user| user.register(&race))),
    );
    left.expect("everybody can leave");
    joined.expect("everybody is in or waits");

    let now = app.viewer().await.competition(&race).await;
    assert_eq!((now.confirmed_count, now.waitlisted_count), (PLACES, 190));
    let states = join_all(late.iter().map(|user| user.registration(&race))).await;
    let mut registrations: Vec<_> = states
        .into_iter()
        .map(|state| state.expect("a registration"))
        .collect();
    let confirmed = registrations
        .iter()
        .filter(|one| one.state() == CONFIRMED)
        .count();
    assert_eq!(confirmed, 10);
    registrations.retain(|one| one.state() != CONFIRMED);
    registrations.sort_by_key(|one| one.revision);
    let positions = registrations.iter().map(|one| one.waitlist_position);
    assert!(
        positions.eq((1..=190).map(Some)),
        "the queue is in the order of revision"
    );

    let actions = actions(&app, &race).await;
    let count = |wanted| actions.iter().filter(|action| **action == wanted).count();
    assert_eq!(count(AuditAction::Registered), 400);
    assert_eq!(count(AuditAction::Withdrawn), 200);
    assert_eq!(
        i64::try_from(actions.len()),
        Ok(now.revision),
        "every revision is in the log"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_user_many_times_at_once_is_in_once() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    let ada = app.new_user("ada").await;
    let answers = join_all((0..100).map(|_| ada.register(&race))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let now = app.viewer().await.competition(&race).await;
    assert_eq!((now.confirmed_count, now.revision), (1, race.revision + 1));
}
