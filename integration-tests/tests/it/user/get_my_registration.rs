use api::v1::RegistrationState;
use integration_tests::{Startlist, assert_rejected};
use tonic::Code;

#[tokio::test]
async fn one_sees_why_one_was_removed() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    ada.register(&race).await.expect("a place");
    let olga = app.organiser().await;
    let removed = olga
        .remove_because(&race, &ada, "no licence")
        .await
        .expect("removed");
    let seen = ada.registration(&race).await.expect("a registration");
    assert_eq!(seen, removed);
    assert_eq!(seen.state(), RegistrationState::Removed);
    assert_eq!(seen.removal_reason, "no licence");
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    let refusal = assert_rejected(
        ada.registration(&race).await,
        Code::NotFound,
        "NOT_REGISTERED",
    );
    assert_eq!(refusal.fact("competition_id"), race.competition_id);
    assert!(refusal.details.resource_info().is_some());
    let draft = app.competition().draft().await;
    assert_rejected(
        ada.registration(&draft).await,
        Code::NotFound,
        "COMPETITION_NOT_FOUND",
    );
}
