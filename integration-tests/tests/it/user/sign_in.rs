use std::time::{Duration, Instant};

use api::user::SignUpRequest;
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
async fn a_user_signs_in_whatever_form_a_keyboard_gives_to_the_address_and_the_password() {
    let app = Startlist::start().await;
    let request = SignUpRequest {
        email: "José@bücher.example".to_owned(),
        password: "pässwörtér lang".to_owned(),
        display_name: "Jose\u{301}".to_owned(),
        ..Default::default()
    };
    let reply = app.user_service().sign_up(request.clone()).await;
    let jose = reply.expect("signed up").into_inner().user.expect("a user");
    assert_eq!(jose.display_name, "José");
    for (email, password) in [
        ("José@bücher.example", "pässwörtér lang"),
        (
            "jose\u{301}@BÜCHER.example",
            "pa\u{308}sswo\u{308}rte\u{301}r lang",
        ),
        ("JOSÉ@xn--bcher-kva.example", "pässwörtér\u{a0}lang"),
        (
            "josé@bu\u{308}cher\u{3002}example",
            "pässwörtér\u{3000}lang",
        ),
    ] {
        let reply = app.sign_in(email, password).await.expect(email);
        assert_eq!(reply.user.expect("a user").user_id, jose.user_id);
        let again = SignUpRequest {
            email: email.to_owned(),
            ..request.clone()
        };
        let reply = app.user_service().sign_up(again).await;
        assert_rejected(reply, reason::EMAIL_TAKEN);
    }
}

/// What release 0.1.0 stored for this password, which it hashed as it was typed.
const OLD_PASSWORD: &str = "pa\u{308}sswo\u{308}rte\u{301}r lang";
const OLD_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$cu9aAVC4z5YrQ88OLZ0/6A$P7a/IZh1RgFukyCabF+GX69CE1Fx/wK8YFt7GiC7vBQ";

#[tokio::test]
async fn a_password_that_was_hashed_as_typed_opens_the_account_and_is_hashed_anew() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let credential = format!("u:{{{}}}:credential", ada.id);
    let _: String = app.redis.root(&["SET", &credential, OLD_HASH]).await;
    let composed = "pässwörtér lang";
    let reply = app.sign_in(&ada.email, composed).await;
    assert_rejected(reply, reason::UNAUTHENTICATED);
    let reply = app.sign_in(&ada.email, OLD_PASSWORD).await;
    reply.expect("signed in");
    let hash: String = app.redis.root(&["GET", &credential]).await;
    assert_ne!(hash, OLD_HASH);
    for typed in [composed, OLD_PASSWORD] {
        app.sign_in(&ada.email, typed).await.expect("signed in");
    }
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
