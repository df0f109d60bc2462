use api::admin::SignOutRequest;
use integration_tests::{Startlist, assert_rejected, reason};

#[tokio::test]
async fn signing_out_ends_this_session_or_all_of_the_admin() {
    let app = Startlist::start().await;
    let (one, two, three) = (app.viewer().await, app.viewer().await, app.viewer().await);
    let this = SignOutRequest::default();
    one.calls().sign_out(this).await.expect("signed out");
    assert_rejected(one.me().await, reason::UNAUTHENTICATED);
    two.me().await.expect("still open");

    let all = SignOutRequest { all_sessions: true };
    two.calls().sign_out(all).await.expect("signed out");
    for admin in [two, three] {
        assert_rejected(admin.me().await, reason::UNAUTHENTICATED);
    }
}
