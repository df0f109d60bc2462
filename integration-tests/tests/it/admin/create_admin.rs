use api::admin::{CreateAdminRequest, GetMeRequest, SignInRequest};
use api::v1::AdminRole;
use integration_tests::{Startlist, assert_rejected};
use tonic::Code;

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
async fn a_new_admin_can_sign_in_with_the_role_that_was_given() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let made = owner
        .calls()
        .create_admin(nina())
        .await
        .expect("an account");
    let made = made.into_inner().admin.expect("an admin");
    assert_eq!((made.role(), made.disabled), (AdminRole::Organiser, false));

    let request = SignInRequest {
        email: nina().email,
        password: nina().password,
    };
    let session = app
        .admin_service()
        .sign_in(request)
        .await
        .expect("signed in")
        .into_inner();
    let me = app
        .admin_service_as(&session.session_token)
        .get_me(GetMeRequest {})
        .await;
    assert_eq!(
        me.expect("signed in").into_inner().admin.expect("an admin"),
        made
    );
}

#[tokio::test]
async fn an_address_has_one_admin() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    owner
        .calls()
        .create_admin(nina())
        .await
        .expect("an account");
    let again = CreateAdminRequest {
        email: "NINA@example.org".to_owned(),
        ..nina()
    };
    let answer = owner.calls().create_admin(again).await;
    assert_rejected(answer, Code::AlreadyExists, "EMAIL_TAKEN");
}

#[tokio::test]
async fn a_role_has_to_be_said() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    for role in [0, 99, -1] {
        let answer = owner
            .calls()
            .create_admin(CreateAdminRequest { role, ..nina() })
            .await;
        let refusal = assert_rejected(answer, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.wrong_fields(), ["role"], "{role}");
    }
}
