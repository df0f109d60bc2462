use api::user::{GetMeRequest, SignOutRequest};
use integration_tests::{PASSWORD, Startlist, assert_rejected, reason};

#[tokio::test]
async fn signing_out_ends_this_session_or_all_of_the_user() {
    let app = Startlist::start().await;
    let [ada, ben] = app.users(["ada", "ben"]).await;
    let mut others = Vec::new();
    for _ in 0..2 {
        let session = app.sign_in(&ada.email, PASSWORD).await.expect("signed in");
        others.push(app.user_service_as(&session.session_token));
    }
    let this = SignOutRequest::default();
    ada.calls().sign_out(this).await.expect("signed out");
    assert_rejected(ada.me().await, reason::UNAUTHENTICATED);
    others[0].get_me(GetMeRequest {}).await.expect("still open");

    let all = SignOutRequest { all_sessions: true };
    others[0].sign_out(all).await.expect("signed out");
    for mut session in others {
        assert_rejected(
            session.get_me(GetMeRequest {}).await,
            reason::UNAUTHENTICATED,
        );
    }
    ben.me().await.expect("another user's session stays open");
}
