use api::user::{GetMeRequest, SignInRequest, SignOutRequest};
use integration_tests::{PASSWORD, Startlist, User, assert_rejected};
use tonic::Code;

/// A second session of a user.
async fn another_session(app: &Startlist, user: &User) -> String {
    let request = SignInRequest {
        email: user.email.clone(),
        password: PASSWORD.to_owned(),
    };
    let answer = app.user_service().sign_in(request).await;
    answer.expect("signed in").into_inner().session_token
}

#[tokio::test]
async fn signing_out_ends_this_session_with_the_next_call() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let other = another_session(&app, &ada).await;

    ada.calls()
        .sign_out(SignOutRequest::default())
        .await
        .expect("signed out");
    let answer = ada.calls().get_me(GetMeRequest {}).await;
    assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    let answer = app.user_service_as(&other).get_me(GetMeRequest {}).await;
    answer.expect("the other session is open");
}

#[tokio::test]
async fn signing_out_of_all_sessions_ends_them_all_and_nobody_elses() {
    let app = Startlist::start().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    let other = another_session(&app, &ada).await;

    let all = SignOutRequest { all_sessions: true };
    app.user_service_as(&other)
        .sign_out(all)
        .await
        .expect("signed out");
    for token in [&ada.token, &other] {
        let answer = app.user_service_as(token).get_me(GetMeRequest {}).await;
        assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    }
    ben.calls()
        .get_me(GetMeRequest {})
        .await
        .expect("somebody else");
}
