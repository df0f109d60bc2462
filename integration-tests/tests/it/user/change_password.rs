use api::user::{ChangePasswordRequest, GetMeRequest};
use integration_tests::{PASSWORD, Startlist, User, assert_rejected, reason};
use tonic::Status;

const NEW: &str = "quite another password";

async fn change(user: &User, current: &str) -> Result<(), Status> {
    change_to(user, current, NEW).await
}

async fn change_to(user: &User, current: &str, new: &str) -> Result<(), Status> {
    let request = ChangePasswordRequest {
        current_password: current.to_owned(),
        new_password: new.to_owned(),
        ..Default::default()
    };
    user.calls().change_password(request).await.map(drop)
}

#[tokio::test]
async fn a_new_password_replaces_the_old_one_and_ends_all_other_sessions() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let other = app.sign_in(&ada.email, PASSWORD).await.expect("signed in");
    change(&ada, PASSWORD).await.expect("changed");

    let mut other = app.user_service_as(&other.session_token);
    assert_rejected(other.get_me(GetMeRequest {}).await, reason::UNAUTHENTICATED);
    ada.me().await.expect("this session stays open");
    assert_rejected(
        app.sign_in(&ada.email, PASSWORD).await,
        reason::UNAUTHENTICATED,
    );
    app.sign_in(&ada.email, NEW).await.expect("signed in");
}

#[tokio::test]
async fn a_new_password_must_not_be_the_address() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let refused = change_to(&ada, PASSWORD, "ADA@example.org").await;
    let refusal = assert_rejected(refused, reason::INVALID_FIELDS);
    assert_eq!(refusal.wrong_fields(), ["new_password"]);
    app.sign_in(&ada.email, PASSWORD).await.expect("unchanged");
}

#[tokio::test]
async fn a_wrong_current_password_changes_nothing_and_cannot_be_guessed() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    for _ in 0..10 {
        assert_rejected(
            change(&ada, "not the password").await,
            reason::UNAUTHENTICATED,
        );
    }
    assert_rejected(change(&ada, PASSWORD).await, reason::TOO_MANY_SIGN_INS);
    ada.me().await.expect("the session stays open");
}
