use api::v1::RegistrationState;
use integration_tests::{Startlist, assert_rejected, reason};

#[tokio::test]
async fn a_removal_has_a_reason_and_promotes_the_first_on_the_waitlist() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(1).open().await;
    let [ada, ben] = app.registered(&race, ["ada", "ben"]).await;
    let removed = olga.remove_because(&race, &ada, "no licence").await;
    let removed = removed.expect("removed");
    assert_eq!(removed.state(), RegistrationState::Removed);
    assert_eq!(removed.removal_reason, "no licence");
    let promoted = ben.registration(&race).await.expect("a registration");
    assert_eq!(promoted.state(), RegistrationState::Confirmed);
    assert_eq!(promoted.revision, removed.revision + 1);
}

#[tokio::test]
async fn a_user_who_is_not_registered_cannot_be_removed() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    assert_rejected(olga.remove(&race, &ada).await, reason::NOT_REGISTERED);
}
