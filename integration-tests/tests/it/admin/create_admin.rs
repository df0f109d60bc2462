use api::admin::{CreateAdminRequest, GetMeRequest};
use api::v1::AdminRole;
use integration_tests::{Startlist, assert_rejected, reason};

fn nina() -> CreateAdminRequest {
    CreateAdminRequest {
        email: "nina@example.org".to_owned(),
        password: "she runs it all".to_owned(),
        display_name: "Nina".to_owned(),
        role: AdminRole::Organiser.into(),
        request_id: String::new(),
    }
}

#[tokio::test]
async fn a_new_admin_can_sign_in_and_has_the_given_role() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let created = owner.calls().create_admin(nina()).await.expect("created");
    let created = created.into_inner().admin.expect("an admin");
    assert_eq!(
        (created.role(), created.disabled),
        (AdminRole::Organiser, false)
    );

    let session = app.admin_sign_in(&nina().email, &nina().password).await;
    let mut calls = app.admin_service_as(&session.expect("signed in").session_token);
    let me = calls.get_me(GetMeRequest {}).await.expect("signed in");
    assert_eq!(me.into_inner().admin, Some(created));
}

#[tokio::test]
async fn an_address_has_one_admin_in_any_case() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    owner.calls().create_admin(nina()).await.expect("created");
    let again = CreateAdminRequest {
        email: "NINA@example.org".to_owned(),
        ..nina()
    };
    assert_rejected(owner.calls().create_admin(again).await, reason::EMAIL_TAKEN);
}
