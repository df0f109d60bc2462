use api::admin::{GetUserRequest, ListUsersRequest};
use api::user::SignUpRequest;
use integration_tests::{PASSWORD, Startlist, assert_rejected, reason};

#[tokio::test]
async fn a_deleted_account_cannot_be_used_and_frees_its_address() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    assert_rejected(
        ada.delete("not the password").await,
        reason::UNAUTHENTICATED,
    );
    ada.me().await.expect("the account still exists");

    ada.delete(PASSWORD).await.expect("deleted");
    assert_rejected(ada.me().await, reason::UNAUTHENTICATED);
    assert_rejected(
        app.sign_in(&ada.email, PASSWORD).await,
        reason::UNAUTHENTICATED,
    );
    let request = SignUpRequest {
        email: ada.email.clone(),
        password: PASSWORD.to_owned(),
        display_name: "Another Ada".to_owned(),
        ..Default::default()
    };
    let reply = app
        .user_service()
        .sign_up(request)
        .await
        .expect("signed up");
    assert_ne!(reply.into_inner().user.expect("a user").user_id, ada.id);
}

#[tokio::test]
async fn organisers_find_no_personal_data_of_a_deleted_account() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    let [ada] = app.registered(&race, ["ada"]).await;
    // The registration of a competition that is over stays, without the name and the address.
    let over = app.competition().over().open().await;
    let olga = app.organiser().await;
    let added = olga.add_with(&over, &ada, |request| request.ignore_window = true);
    added.await.expect("added");
    ada.delete(PASSWORD).await.expect("deleted");

    let user_id = ada.id.clone();
    let reply = olga.calls().get_user(GetUserRequest { user_id }).await;
    assert_rejected(reply, reason::USER_NOT_FOUND);
    let users = olga.calls().list_users(ListUsersRequest::default()).await;
    assert_eq!(users.expect("a list").into_inner().users, []);
    assert_eq!(olga.registrations(&race).await, []);
    let kept = olga.registrations(&over).await;
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (kept[0].display_name.as_str(), kept[0].email.as_str()),
        ("", "")
    );
    let log = format!("{:?}", olga.audit_entries(&race).await);
    assert!(log.contains(&ada.id) && !log.contains("ada@"), "{log}");
}
