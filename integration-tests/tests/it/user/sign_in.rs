use std::time::{Duration, Instant};

use api::user::{GetMeRequest, SignInRequest};
use integration_tests::{PASSWORD, Startlist, assert_rejected};
use tonic::Code;

fn sign_in(email: &str, password: &str) -> SignInRequest {
    SignInRequest {
        email: email.to_owned(),
        password: password.to_owned(),
    }
}

#[tokio::test]
async fn who_knows_the_password_gets_in_whatever_the_case_of_the_address() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let answer = app
        .user_service()
        .sign_in(sign_in("ADA@example.org", PASSWORD))
        .await;
    let answer = answer.expect("signed in").into_inner();
    assert_eq!(answer.user.expect("a user").user_id, ada.id);

    let me = app
        .user_service_as(&answer.session_token)
        .get_me(GetMeRequest {})
        .await;
    assert_eq!(
        me.expect("signed in")
            .into_inner()
            .user
            .expect("a user")
            .user_id,
        ada.id
    );
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_look_alike() {
    let app = Startlist::start().await;
    app.new_user("ada").await;
    let refused = async |email| {
        let began = Instant::now();
        let answer = app
            .user_service()
            .sign_in(sign_in(email, "not the password"))
            .await;
        let took = began.elapsed();
        let refusal = assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
        (refusal.message, refusal.metadata, took)
    };
    // The first call of each kind opens connections.
    refused("ada@example.org").await;
    refused("nobody@example.org").await;

    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let (message, metadata, took) = refused("ada@example.org").await;
        known.push(took);
        let (other_message, other_metadata, took) = refused("nobody@example.org").await;
        unknown.push(took);
        assert_eq!((message, metadata), (other_message, other_metadata));
    }
    // The hash takes more than all else together: without it an answer comes in a tenth of the time.
    let (known, unknown) = (shortest(&known), shortest(&unknown));
    assert!(
        known < unknown * 3 && unknown < known * 3,
        "{known:?} and {unknown:?}"
    );
}

fn shortest(times: &[Duration]) -> Duration {
    *times.iter().min().expect("some")
}

#[tokio::test]
async fn after_ten_wrong_passwords_the_account_rests_and_its_sessions_live_on() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    for _ in 0..10 {
        let answer = app
            .user_service()
            .sign_in(sign_in(&ada.email, "not the password"))
            .await;
        assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    }
    let answer = app
        .user_service()
        .sign_in(sign_in(&ada.email, PASSWORD))
        .await;
    let refusal = assert_rejected(answer, Code::ResourceExhausted, "TOO_MANY_SIGN_INS");
    let retry = refusal.details.retry_info().expect("RetryInfo");
    let wait = retry.retry_delay.expect("a delay");
    let (fourteen, fifteen) = (Duration::from_secs(14 * 60), Duration::from_secs(15 * 60));
    assert!((fourteen..=fifteen).contains(&wait), "{wait:?}");

    ada.calls()
        .get_me(GetMeRequest {})
        .await
        .expect("a live session is not locked out");
    let ben = app.new_user("ben").await;
    let answer = app
        .user_service()
        .sign_in(sign_in(&ben.email, PASSWORD))
        .await;
    answer.expect("another account is not concerned");
}

#[tokio::test]
async fn an_unknown_address_rests_after_ten_tries_too() {
    let app = Startlist::start().await;
    for _ in 0..10 {
        let answer = app
            .user_service()
            .sign_in(sign_in("nobody@example.org", PASSWORD))
            .await;
        assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    }
    let answer = app
        .user_service()
        .sign_in(sign_in("nobody@example.org", PASSWORD))
        .await;
    assert_rejected(answer, Code::ResourceExhausted, "TOO_MANY_SIGN_INS");
}

#[tokio::test]
async fn a_network_that_guesses_too_much_rests() {
    let app = Startlist::with(&["--network-sign-in-failures", "2"]).await;
    let ada = app.new_user("ada").await;
    for name in ["ben", "cleo"] {
        let email = format!("{name}@example.org");
        let answer = app.user_service().sign_in(sign_in(&email, PASSWORD)).await;
        assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    }
    let answer = app
        .user_service()
        .sign_in(sign_in(&ada.email, PASSWORD))
        .await;
    let refusal = assert_rejected(answer, Code::ResourceExhausted, "TOO_MANY_SIGN_INS");
    assert!(refusal.details.retry_info().is_some());
}
