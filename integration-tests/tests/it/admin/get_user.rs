use api::admin::GetUserRequest;
use api::user::GetMeRequest;
use integration_tests::{Startlist, assert_rejected};
use tonic::Code;

#[tokio::test]
async fn organisers_see_what_the_user_sees() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let user_id = ada.id.clone();
    let found = app
        .viewer()
        .await
        .calls()
        .get_user(GetUserRequest { user_id })
        .await;
    let me = ada
        .calls()
        .get_me(GetMeRequest {})
        .await
        .expect("signed in")
        .into_inner();
    assert_eq!(found.expect("a user").into_inner().user, me.user);
}

#[tokio::test]
async fn who_is_not_there_is_named() {
    let app = Startlist::start().await;
    let user_id = "no-such-user".to_owned();
    let answer = app
        .viewer()
        .await
        .calls()
        .get_user(GetUserRequest { user_id })
        .await;
    let refusal = assert_rejected(answer, Code::NotFound, "USER_NOT_FOUND");
    let resource = refusal.details.resource_info().expect("ResourceInfo");
    assert_eq!(resource.resource_type, "startlist.v1.User");
    assert_eq!(resource.resource_name, "no-such-user");
}
