use api::v1::RegistrationState;
use integration_tests::{Startlist, assert_rejected};
use tonic::Code;

#[tokio::test]
async fn who_withdraws_is_out_and_the_first_in_the_queue_is_in() {
    let app = Startlist::start().await;
    let race = app.competition().capacity(1).open().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    let registered = ada.register(&race).await.expect("a place");
    ben.register(&race).await.expect("a place in the queue");

    let out = ada.withdraw(&race).await.expect("out");
    assert_eq!(out.state(), RegistrationState::Withdrawn);
    assert_eq!(out.created_at, registered.created_at);
    assert_eq!(ada.registration(&race).await.expect("it is kept"), out);

    let promoted = ben.registration(&race).await.expect("a registration");
    assert_eq!(promoted.state(), RegistrationState::Confirmed);
    assert_eq!(promoted.waitlist_position, None);
    assert_eq!(promoted.revision, out.revision + 1);
}

#[tokio::test]
async fn who_waits_can_withdraw_and_those_behind_move_up() {
    let app = Startlist::start().await;
    let race = app.competition().capacity(1).open().await;
    app.new_user("ada")
        .await
        .register(&race)
        .await
        .expect("a place");
    let (ben, cleo) = (app.new_user("ben").await, app.new_user("cleo").await);
    ben.register(&race).await.expect("a place in the queue");
    cleo.register(&race).await.expect("a place in the queue");
    ben.withdraw(&race).await.expect("out");
    let first = cleo.registration(&race).await.expect("a registration");
    assert_eq!(first.waitlist_position, Some(1));
}

#[tokio::test]
async fn who_is_not_in_cannot_withdraw() {
    let app = Startlist::start().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    let race = app.competition().open().await;
    assert_rejected(ada.withdraw(&race).await, Code::NotFound, "NOT_REGISTERED");

    ada.register(&race).await.expect("a place");
    ada.withdraw(&race).await.expect("out");
    assert_rejected(ada.withdraw(&race).await, Code::NotFound, "NOT_REGISTERED");

    ben.register(&race).await.expect("a place");
    app.organiser()
        .await
        .remove(&race, &ben)
        .await
        .expect("removed");
    assert_rejected(ben.withdraw(&race).await, Code::NotFound, "NOT_REGISTERED");

    let draft = app.competition().draft().await;
    assert_rejected(
        ada.withdraw(&draft).await,
        Code::NotFound,
        "COMPETITION_NOT_FOUND",
    );
}

#[tokio::test]
async fn once_it_has_started_everybody_stays() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().started().open().await;
    let olga = app.organiser().await;
    let added = olga
        .add_with(&race, &ada, |request| request.ignore_window = true)
        .await;
    added.expect("added");
    let answer = ada.withdraw(&race).await;
    let refusal = assert_rejected(answer, Code::FailedPrecondition, "COMPETITION_STARTED");
    assert_eq!(
        refusal.fact("starts_at"),
        race.starts_at.expect("a moment").to_string()
    );
}
