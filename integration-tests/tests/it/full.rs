//! The memory of Redis is full: new data is refused with a reason of its own, and what frees memory
//! or protects an account works.

use std::fmt::Debug;
use std::time::Duration;

use api::admin::{SignOutRequest as AdminSignOut, UpdateCompetitionRequest};
use api::user::{ChangePasswordRequest, SignOutRequest, SignUpRequest};
use api::v1::{Competition, CompetitionState, RegistrationState};
use integration_tests::{PASSWORD, Startlist, assert_rejected, reason};
use tonic::Status;

async fn fill(app: &Startlist) {
    let () = app.redis.root(&["CONFIG", "SET", "maxmemory", "1"]).await;
}

fn assert_full<T: Debug>(reply: Result<T, Status>) {
    let refusal = assert_rejected(reply, reason::STORE_FULL);
    assert_eq!(refusal.fact("outcome"), "NOT_APPLIED");
    let retry = refusal.details.retry_info().expect("RetryInfo");
    assert!(retry.retry_delay >= Some(Duration::from_secs(10)));
    assert!(!refusal.message.contains("OOM"), "{}", refusal.message);
}

#[tokio::test]
async fn new_data_is_refused_by_both_services() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    let olga = app.organiser().await;
    let [ada, ben] = app.users(["ada", "ben"]).await;
    fill(&app).await;
    assert_full(ada.register(&race).await);
    let me = ada.me().await.expect("a profile");
    let renamed = api::v1::User {
        display_name: "Ada Lovelace".to_owned(),
        ..me
    };
    assert_full(ada.update(renamed, &["display_name"]).await);
    let sign_up = SignUpRequest {
        email: "late@example.org".to_owned(),
        password: PASSWORD.to_owned(),
        display_name: "Late".to_owned(),
        ..Default::default()
    };
    assert_full(app.user_service().sign_up(sign_up).await);
    assert_full(olga.add(&race, &ben).await);
    let update = UpdateCompetitionRequest {
        competition: Some(Competition {
            title: "Another title".to_owned(),
            ..race.clone()
        }),
        ..Default::default()
    };
    assert_full(olga.calls().update_competition(update).await);
}

#[tokio::test]
async fn users_sign_in_and_out_change_their_password_withdraw_and_delete_their_account() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    let [ada] = app.registered(&race, ["ada"]).await;
    fill(&app).await;
    let session = app.sign_in(&ada.email, PASSWORD).await.expect("signed in");
    let mut calls = app.user_service_as(&session.session_token);
    let withdrawn = ada.withdraw(&race).await.expect("withdrawn");
    assert_eq!(withdrawn.state(), RegistrationState::Withdrawn);
    let request = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: "quite another password".to_owned(),
        ..Default::default()
    };
    ada.calls().change_password(request).await.expect("changed");
    let ended = calls.sign_out(SignOutRequest::default()).await;
    assert_rejected(ended, reason::UNAUTHENTICATED);
    ada.delete("quite another password").await.expect("deleted");
}

#[tokio::test]
async fn organisers_sign_in_and_out_remove_cancel_and_delete_and_owners_disable() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    let draft = app.competition().title("Draft").draft().await;
    let (owner, olga) = (app.owner().await, app.organiser().await);
    let [ada] = app.registered(&race, ["ada"]).await;
    fill(&app).await;
    let signed_in = app.admin_sign_in(&olga.email, PASSWORD).await;
    let token = signed_in.expect("signed in").session_token;
    olga.remove(&race, &ada).await.expect("removed");
    let cancelled = olga.cancel(&race).await.expect("cancelled");
    assert_eq!(cancelled.state(), CompetitionState::Cancelled);
    olga.delete(&draft).await.expect("deleted");
    let mut calls = app.admin_service_as(&token);
    let ended = calls.sign_out(AdminSignOut::default()).await;
    ended.expect("signed out");
    owner.disable(&olga.id).await.expect("disabled");
}
