use api::v1::RegistrationState;
use integration_tests::{Startlist, assert_rejected};
use tonic::Code;

#[tokio::test]
async fn the_place_of_who_is_removed_goes_to_the_first_in_the_queue() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(1).open().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    ada.register(&race).await.expect("a place");
    ben.register(&race).await.expect("a place in the queue");
    let removed = olga
        .remove_because(&race, &ada, "no licence")
        .await
        .expect("removed");
    assert_eq!(removed.state(), RegistrationState::Removed);
    assert_eq!(removed.removal_reason, "no licence");
    let promoted = ben.registration(&race).await.expect("a registration");
    assert_eq!(
        (promoted.state(), promoted.revision),
        (RegistrationState::Confirmed, removed.revision + 1)
    );
}

#[tokio::test]
async fn an_organiser_can_remove_also_when_it_has_started() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    let race = app.competition().capacity(1).started().open().await;
    for user in [&ada, &ben] {
        let added = olga
            .add_with(&race, user, |request| request.ignore_window = true)
            .await;
        added.expect("added");
    }
    olga.remove(&race, &ada).await.expect("removed");
    let waiting = ben.registration(&race).await.expect("a registration");
    assert_eq!(
        waiting.state(),
        RegistrationState::Waitlisted,
        "nobody is promoted any more"
    );
}

#[tokio::test]
async fn who_is_not_in_cannot_be_removed() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    assert_rejected(
        olga.remove(&race, &ada).await,
        Code::NotFound,
        "NOT_REGISTERED",
    );
    ada.register(&race).await.expect("a place");
    ada.withdraw(&race).await.expect("out");
    assert_rejected(
        olga.remove(&race, &ada).await,
        Code::NotFound,
        "NOT_REGISTERED",
    );
}
