use api::v1::RegistrationState;
use integration_tests::{Startlist, assert_rejected, reason};

#[tokio::test]
async fn a_withdrawal_promotes_the_first_on_the_waitlist_with_the_next_revision() {
    let app = Startlist::start().await;
    let race = app.competition().capacity(1).open().await;
    let [ada, ben] = app.registered(&race, ["ada", "ben"]).await;
    let registered = ada.registration(&race).await.expect("a registration");

    let withdrawn = ada.withdraw(&race).await.expect("withdrawn");
    assert_eq!(withdrawn.state(), RegistrationState::Withdrawn);
    assert_eq!(withdrawn.created_at, registered.created_at);
    assert_eq!(
        ada.registration(&race).await.expect("a registration"),
        withdrawn
    );

    let promoted = ben.registration(&race).await.expect("a registration");
    assert_eq!(promoted.state(), RegistrationState::Confirmed);
    assert_eq!(promoted.waitlist_position, None);
    assert_eq!(promoted.revision, withdrawn.revision + 1);
}

#[tokio::test]
async fn a_user_who_is_not_registered_cannot_withdraw() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    let ada = app.new_user("ada").await;
    assert_rejected(ada.withdraw(&race).await, reason::NOT_REGISTERED);
    ada.register(&race).await.expect("confirmed");
    ada.withdraw(&race).await.expect("withdrawn");
    assert_rejected(ada.withdraw(&race).await, reason::NOT_REGISTERED);

    let draft = app.competition().draft().await;
    assert_rejected(ada.withdraw(&draft).await, reason::COMPETITION_NOT_FOUND);
}

#[tokio::test]
async fn a_confirmed_user_cannot_withdraw_once_the_competition_has_started() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().started().open().await;
    let olga = app.organiser().await;
    let added = olga.add_with(&race, &ada, |request| request.ignore_window = true);
    added.await.expect("added");
    let refusal = assert_rejected(ada.withdraw(&race).await, reason::COMPETITION_STARTED);
    let starts_at = race.starts_at.expect("a moment").to_string();
    assert_eq!(refusal.fact("starts_at"), starts_at);
}
