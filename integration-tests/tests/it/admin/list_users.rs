use api::admin::ListUsersRequest;
use integration_tests::{Startlist, assert_rejected};
use tonic::Code;

#[tokio::test]
async fn all_users_are_listed_by_their_ids_and_pages_hold_all_once() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let mut expected = Vec::new();
    for number in 0..7 {
        expected.push(app.new_user(&format!("user-{number}")).await.id);
    }
    expected.sort();

    let mut found = Vec::new();
    let mut request = ListUsersRequest {
        page_size: 3,
        ..Default::default()
    };
    loop {
        let page = viewer
            .calls()
            .list_users(request.clone())
            .await
            .expect("a page")
            .into_inner();
        assert!(page.users.len() <= 3);
        found.extend(page.users.into_iter().map(|user| user.user_id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn one_is_found_by_the_address_whatever_its_case() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let ada = app.new_user("ada").await;
    app.new_user("ben").await;
    let find = async |email: &str| {
        let request = ListUsersRequest {
            email: email.to_owned(),
            ..Default::default()
        };
        let answer = viewer.calls().list_users(request).await?;
        Ok(answer.into_inner().users)
    };
    let found = find("ADA@example.org").await.expect("a list");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].user_id, ada.id);
    assert_eq!(find("nobody@example.org").await.expect("a list"), []);
    let refusal = assert_rejected(
        find("nobody").await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.wrong_fields(), ["email"]);
}
