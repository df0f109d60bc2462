//! Many calls at the same moment. The store's tests and the torture cover more kinds of races; this
//! one shows that nothing between a client and the store breaks the order of the revisions.

use api::v1::RegistrationState;
use futures::future::{join_all, try_join_all};
use integration_tests::{Startlist, User};

const CONFIRMED: RegistrationState = RegistrationState::Confirmed;

/// So many users, made a hundred at a time.
async fn users(app: &Startlist, count: usize) -> Vec<User> {
    let names: Vec<_> = (0..count).map(|number| format!("user-{number}")).collect();
    let mut users = Vec::with_capacity(count);
    for hundred in names.chunks(100) {
        users.extend(join_all(hundred.iter().map(|name| app.new_user(name))).await);
    }
    users
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_users_at_once_ten_are_confirmed_and_the_others_wait_in_order() {
    let app = Startlist::start().await;
    let race = app.competition().capacity(10).open().await;
    let users = users(&app, 1000).await;
    let registered = try_join_all(users.iter().map(|user| user.register(&race))).await;
    let mut registered = registered.expect("everybody is confirmed or waits");
    registered.sort_by_key(|registration| registration.revision);

    let revisions = registered.iter().map(|registration| registration.revision);
    assert!(revisions.eq(race.revision + 1..=race.revision + 1000));
    let (confirmed, waiting) = registered.split_at(10);
    assert!(
        confirmed
            .iter()
            .all(|registration| registration.state() == CONFIRMED)
    );
    let positions = waiting
        .iter()
        .map(|registration| registration.waitlist_position);
    assert!(positions.eq((1..=990).map(Some)));
}
