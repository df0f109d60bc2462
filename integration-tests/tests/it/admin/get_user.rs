use api::admin::GetUserRequest;
use integration_tests::{Startlist, assert_rejected, reason};

#[tokio::test]
async fn admins_read_the_same_profile_as_the_user() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let user_id = ada.id.clone();
    let viewer = app.viewer().await;
    let reply = viewer.calls().get_user(GetUserRequest { user_id }).await;
    let me = ada.me().await.expect("signed in");
    assert_eq!(reply.expect("a reply").into_inner().user, Some(me));
}

#[tokio::test]
async fn an_absent_user_is_not_found() {
    let app = Startlist::start().await;
    let user_id = "no-such-user".to_owned();
    let viewer = app.viewer().await;
    let reply = viewer.calls().get_user(GetUserRequest { user_id }).await;
    let refusal = assert_rejected(reply, reason::USER_NOT_FOUND);
    let resource = refusal.details.resource_info().expect("ResourceInfo");
    assert_eq!(resource.resource_type, "startlist.v1.User");
    assert_eq!(resource.resource_name, "no-such-user");
}
