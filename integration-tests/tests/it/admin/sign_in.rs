use api::admin::GetMeRequest;
use integration_tests::{PASSWORD, Startlist, assert_rejected, from_now, reason};

#[tokio::test]
async fn an_admin_signs_in_for_twelve_hours() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let reply = app
        .admin_sign_in(&viewer.email, PASSWORD)
        .await
        .expect("signed in");
    assert_eq!(reply.admin.as_ref().expect("an admin").admin_id, viewer.id);
    assert!(reply.session_token.starts_with("stl_a_"));
    let expires_at = reply.session_expires_at.expect("a moment").seconds;
    let twelve_hours = from_now(12 * 60 * 60).seconds;
    assert!((twelve_hours - 5..=twelve_hours).contains(&expires_at));

    let mut calls = app.admin_service_as(&reply.session_token);
    let me = calls.get_me(GetMeRequest {}).await.expect("signed in");
    assert_eq!(me.into_inner().admin, reply.admin);
}

#[tokio::test]
async fn a_wrong_password_an_unknown_address_a_user_and_a_disabled_admin_look_alike() {
    let app = Startlist::start().await;
    let (owner, disabled) = (app.owner().await, app.organiser().await);
    let ada = app.new_user("ada").await;
    owner.disable(&disabled.id).await.expect("disabled");

    let mut sentences = Vec::new();
    for (email, password) in [
        (owner.email.as_str(), "not the password"),
        ("nobody@example.org", PASSWORD),
        (ada.email.as_str(), PASSWORD),
        (disabled.email.as_str(), PASSWORD),
    ] {
        let reply = app.admin_sign_in(email, password).await;
        sentences.push(assert_rejected(reply, reason::UNAUTHENTICATED).message);
    }
    sentences.dedup();
    assert_eq!(sentences.len(), 1, "{sentences:?}");
}

#[tokio::test]
async fn an_admin_cannot_sign_in_as_a_user() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    assert_rejected(
        app.sign_in(&owner.email, PASSWORD).await,
        reason::UNAUTHENTICATED,
    );
}

#[tokio::test]
async fn ten_wrong_passwords_lock_sign_in_but_no_session() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    for _ in 0..10 {
        let reply = app.admin_sign_in(&owner.email, "not the password").await;
        assert_rejected(reply, reason::UNAUTHENTICATED);
    }
    let reply = app.admin_sign_in(&owner.email, PASSWORD).await;
    let refusal = assert_rejected(reply, reason::TOO_MANY_SIGN_INS);
    assert!(refusal.details.retry_info().is_some());
    owner.me().await.expect("the session stays open");
}
