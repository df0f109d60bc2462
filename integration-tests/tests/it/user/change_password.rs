use api::user::{ChangePasswordRequest, GetMeRequest, SignInRequest};
use integration_tests::{PASSWORD, Startlist, User, assert_rejected};
use tonic::Code;

const NEW: &str = "quite another password";

fn change(current: &str, new: &str) -> ChangePasswordRequest {
    ChangePasswordRequest {
        current_password: current.to_owned(),
        new_password: new.to_owned(),
        request_id: String::new(),
    }
}

fn sign_in(user: &User, password: &str) -> SignInRequest {
    SignInRequest {
        email: user.email.clone(),
        password: password.to_owned(),
    }
}

#[tokio::test]
async fn the_new_password_opens_the_account_and_the_old_one_does_not() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    ada.calls()
        .change_password(change(PASSWORD, NEW))
        .await
        .expect("changed");

    let answer = app.user_service().sign_in(sign_in(&ada, PASSWORD)).await;
    assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    app.user_service()
        .sign_in(sign_in(&ada, NEW))
        .await
        .expect("signed in");
}

#[tokio::test]
async fn all_other_sessions_end_and_this_one_stays() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let other = app
        .user_service()
        .sign_in(sign_in(&ada, PASSWORD))
        .await
        .expect("signed in");
    let other = other.into_inner().session_token;

    ada.calls()
        .change_password(change(PASSWORD, NEW))
        .await
        .expect("changed");
    let answer = app.user_service_as(&other).get_me(GetMeRequest {}).await;
    assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    ada.calls()
        .get_me(GetMeRequest {})
        .await
        .expect("this one stays");
}

#[tokio::test]
async fn who_does_not_know_the_password_changes_nothing_and_cannot_guess_for_long() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    for _ in 0..10 {
        let answer = ada
            .calls()
            .change_password(change("not the password", NEW))
            .await;
        assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    }
    let answer = ada.calls().change_password(change(PASSWORD, NEW)).await;
    assert_rejected(answer, Code::ResourceExhausted, "TOO_MANY_SIGN_INS");
    ada.calls()
        .get_me(GetMeRequest {})
        .await
        .expect("the session stays");
}
