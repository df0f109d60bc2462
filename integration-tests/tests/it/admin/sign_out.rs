use api::admin::{GetMeRequest, SignOutRequest};
use integration_tests::{Startlist, assert_rejected};
use tonic::Code;

#[tokio::test]
async fn signing_out_ends_this_session_and_the_others_only_if_asked() {
    let app = Startlist::start().await;
    let (one, two, three) = (app.viewer().await, app.viewer().await, app.viewer().await);
    one.calls()
        .sign_out(SignOutRequest::default())
        .await
        .expect("signed out");
    let answer = one.calls().get_me(GetMeRequest {}).await;
    assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    two.calls()
        .get_me(GetMeRequest {})
        .await
        .expect("still open");

    let all = SignOutRequest { all_sessions: true };
    two.calls().sign_out(all).await.expect("signed out");
    for admin in [two, three] {
        let answer = admin.calls().get_me(GetMeRequest {}).await;
        assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    }
}
