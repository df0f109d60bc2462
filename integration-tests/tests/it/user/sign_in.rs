use std::time::{Duration, Instant};

use integration_tests::{PASSWORD, Startlist, assert_rejected, reason};

#[tokio::test]
async fn a_user_signs_in_with_the_address_in_any_case() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let reply = app
        .sign_in("ADA@example.org", PASSWORD)
        .await
        .expect("signed in");
    assert_eq!(reply.user.as_ref().expect("a user").user_id, ada.id);
    let mut calls = app.user_service_as(&reply.session_token);
    let me = calls.get_me(api::user::GetMeRequest {}).await;
    assert_eq!(me.expect("signed in").into_inner().user, reply.user);
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_look_alike() {
    let app = Startlist::start().await;
    app.new_user("ada").await;
    let refused = async |email| {
        let began = Instant::now();
        let reply = app.sign_in(email, "not the password").await;
        let took = began.elapsed();
        let refusal = assert_rejected(reply, reason::UNAUTHENTICATED);
        (refusal.message, refusal.metadata, took)
    };
    // The first call of each kind opens connections.
    refused("ada@example.org").await;
    refused("nobody@example.org").await;

    let (mut known, mut unknown) = (Duration::MAX, Duration::MAX);
    for _ in 0..4 {
        let (message, metadata, took) = refused("ada@example.org").await;
        known = known.min(took);
        let (other_message, other_metadata, took) = refused("nobody@example.org").await;
        unknown = unknown.min(took);
        assert_eq!((message, metadata), (other_message, other_metadata));
    }
    // Hashing takes longer than everything else: without it, a call takes a tenth of the time.
    let is_alike = known < unknown * 3 && unknown < known * 3;
    assert!(is_alike, "{known:?} and {unknown:?}");
}

#[tokio::test]
async fn ten_wrong_passwords_lock_sign_in_but_no_session_and_no_other_account() {
    let app = Startlist::start().await;
    let [ada, ben] = app.users(["ada", "ben"]).await;
    for email in [ada.email.as_str(), "nobody@example.org"] {
        for _ in 0..10 {
            let reply = app.sign_in(email, "not the password").await;
            assert_rejected(reply, reason::UNAUTHENTICATED);
        }
        let reply = app.sign_in(email, PASSWORD).await;
        let refusal = assert_rejected(reply, reason::TOO_MANY_SIGN_INS);
        let retry = refusal.details.retry_info().expect("RetryInfo");
        let minutes = retry.retry_delay.expect("a delay").as_secs() / 60;
        assert!((14..=15).contains(&minutes), "{minutes}");
    }
    ada.me().await.expect("the session stays open");
    app.sign_in(&ben.email, PASSWORD).await.expect("signed in");
}

#[tokio::test]
async fn a_network_with_too_many_failed_sign_ins_is_locked_for_those_new_to_it() {
    let app = Startlist::with(&["--network-sign-in-failures", "2"]).await;
    let [ada, regular] = app.users(["ada", "regular"]).await;
    let signed_in = app.sign_in(&regular.email, PASSWORD).await;
    signed_in.expect("signed in");
    for email in ["ben@example.org", "cleo@example.org"] {
        assert_rejected(app.sign_in(email, PASSWORD).await, reason::UNAUTHENTICATED);
    }
    let reply = app.sign_in(&ada.email, PASSWORD).await;
    let refusal = assert_rejected(reply, reason::TOO_MANY_SIGN_INS);
    assert!(refusal.details.retry_info().is_some());
    let signed_in = app.sign_in(&regular.email, PASSWORD).await;
    signed_in.expect("the user signed in from this network before");
}
