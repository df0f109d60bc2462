use api::admin::{GetUserRequest, ListUsersRequest};
use api::user::{DeleteMeRequest, GetMeRequest, SignInRequest, SignUpRequest};
use api::v1::RegistrationState;
use integration_tests::{PASSWORD, Startlist, assert_rejected};
use tonic::Code;

fn delete(password: &str) -> DeleteMeRequest {
    DeleteMeRequest {
        password: password.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn the_account_is_gone_with_all_its_sessions() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    ada.calls()
        .delete_me(delete(PASSWORD))
        .await
        .expect("deleted");

    let answer = ada.calls().get_me(GetMeRequest {}).await;
    assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    let sign_in = SignInRequest {
        email: ada.email.clone(),
        password: PASSWORD.to_owned(),
    };
    let answer = app.user_service().sign_in(sign_in).await;
    assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
}

#[tokio::test]
async fn organisers_find_no_personal_data_any_more() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    ada.register(&race).await.expect("a place");
    ada.calls()
        .delete_me(delete(PASSWORD))
        .await
        .expect("deleted");

    let viewer = app.viewer().await;
    let user_id = ada.id.clone();
    let answer = viewer.calls().get_user(GetUserRequest { user_id }).await;
    assert_rejected(answer, Code::NotFound, "USER_NOT_FOUND");
    let users = viewer.calls().list_users(ListUsersRequest::default()).await;
    assert_eq!(users.expect("a list").into_inner().users, []);
    assert_eq!(viewer.registrations(&race).await, []);
    let log = format!("{:?}", viewer.audit_entries(&race).await);
    assert!(log.contains(&ada.id) && !log.contains("ada@"), "{log}");
}

#[tokio::test]
async fn the_place_goes_to_the_first_in_the_queue_and_what_is_over_stays() {
    let app = Startlist::start().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    let race = app.competition().capacity(1).open().await;
    ada.register(&race).await.expect("a place");
    ben.register(&race).await.expect("a place in the queue");
    let over = app.competition().over().open().await;
    let olga = app.organiser().await;
    let added = olga
        .add_with(&over, &ada, |request| request.ignore_window = true)
        .await;
    added.expect("added");

    ada.calls()
        .delete_me(delete(PASSWORD))
        .await
        .expect("deleted");
    let promoted = ben.registration(&race).await.expect("a registration");
    assert_eq!(promoted.state(), RegistrationState::Confirmed);
    let kept = olga.registrations(&over).await;
    assert_eq!(kept.len(), 1, "the record of what is over is kept");
    assert_eq!(
        (kept[0].display_name.as_str(), kept[0].email.as_str()),
        ("", "")
    );
}

#[tokio::test]
async fn the_address_is_free_again() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    ada.calls()
        .delete_me(delete(PASSWORD))
        .await
        .expect("deleted");
    let request = SignUpRequest {
        email: ada.email.clone(),
        password: PASSWORD.to_owned(),
        display_name: "Another Ada".to_owned(),
        ..Default::default()
    };
    let answer = app
        .user_service()
        .sign_up(request)
        .await
        .expect("an account")
        .into_inner();
    assert_ne!(answer.user.expect("a user").user_id, ada.id);
}

#[tokio::test]
async fn a_wrong_password_deletes_nothing() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let answer = ada.calls().delete_me(delete("not the password")).await;
    assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    ada.calls()
        .get_me(GetMeRequest {})
        .await
        .expect("still there");
}
