use api::admin::{DisableAdminRequest, GetMeRequest, SignInRequest};
use api::user;
use integration_tests::{PASSWORD, Startlist, assert_rejected, from_now};
use tonic::Code;

fn sign_in(email: &str, password: &str) -> SignInRequest {
    SignInRequest {
        email: email.to_owned(),
        password: password.to_owned(),
    }
}

#[tokio::test]
async fn an_admin_who_knows_the_password_gets_in_for_twelve_hours() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let answer = app
        .admin_service()
        .sign_in(sign_in(&viewer.email, PASSWORD))
        .await;
    let answer = answer.expect("signed in").into_inner();
    assert_eq!(answer.admin.expect("an admin").admin_id, viewer.id);
    assert!(answer.session_token.starts_with("stl_a_"));
    let expires_at = answer.session_expires_at.expect("an end").seconds;
    let twelve_hours = from_now(12 * 60 * 60).seconds;
    assert!((twelve_hours - 5..=twelve_hours).contains(&expires_at));

    let me = app
        .admin_service_as(&answer.session_token)
        .get_me(GetMeRequest {})
        .await;
    assert_eq!(
        me.expect("signed in")
            .into_inner()
            .admin
            .expect("an admin")
            .admin_id,
        viewer.id
    );
}

#[tokio::test]
async fn a_wrong_password_an_unknown_address_a_user_and_a_disabled_admin_look_alike() {
    let app = Startlist::start().await;
    let (owner, disabled) = (app.owner().await, app.organiser().await);
    let ada = app.new_user("ada").await;
    let admin_id = disabled.id.clone();
    let request = DisableAdminRequest {
        admin_id,
        ..Default::default()
    };
    owner
        .calls()
        .disable_admin(request)
        .await
        .expect("disabled");

    let mut sentences = Vec::new();
    for (email, password) in [
        (owner.email.as_str(), "not the password"),
        ("nobody@example.org", PASSWORD),
        (ada.email.as_str(), PASSWORD),
        (disabled.email.as_str(), PASSWORD),
    ] {
        let answer = app.admin_service().sign_in(sign_in(email, password)).await;
        sentences.push(assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED").message);
    }
    sentences.dedup();
    assert_eq!(sentences.len(), 1, "{sentences:?}");
}

#[tokio::test]
async fn an_admin_is_no_user() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let request = user::SignInRequest {
        email: owner.email,
        password: PASSWORD.to_owned(),
    };
    let answer = app.user_service().sign_in(request).await;
    assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
}

#[tokio::test]
async fn after_ten_wrong_passwords_the_account_rests() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    for _ in 0..10 {
        let answer = app
            .admin_service()
            .sign_in(sign_in(&owner.email, "not the password"))
            .await;
        assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    }
    let answer = app
        .admin_service()
        .sign_in(sign_in(&owner.email, PASSWORD))
        .await;
    let refusal = assert_rejected(answer, Code::ResourceExhausted, "TOO_MANY_SIGN_INS");
    assert!(refusal.details.retry_info().is_some());
    owner
        .calls()
        .get_me(GetMeRequest {})
        .await
        .expect("a live session is not locked out");
}
