use api::v1::RegistrationState;
use integration_tests::{Startlist, assert_rejected, reason};

#[tokio::test]
async fn a_removed_user_reads_the_reason() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    let [ada] = app.registered(&race, ["ada"]).await;
    let olga = app.organiser().await;
    let removed = olga.remove_because(&race, &ada, "no licence").await;
    let read = ada.registration(&race).await.expect("a registration");
    assert_eq!(read, removed.expect("removed"));
    assert_eq!(read.state(), RegistrationState::Removed);
    assert_eq!(read.removal_reason, "no licence");
}

#[tokio::test]
async fn an_absent_registration_is_not_found() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    let refusal = assert_rejected(ada.registration(&race).await, reason::NOT_REGISTERED);
    assert_eq!(refusal.fact("competition_id"), race.competition_id);
    assert!(refusal.details.resource_info().is_some());
    let draft = app.competition().draft().await;
    assert_rejected(
        ada.registration(&draft).await,
        reason::COMPETITION_NOT_FOUND,
    );
}
