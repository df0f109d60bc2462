use api::admin::ListUsersRequest;
use integration_tests::{Startlist, all_pages};

#[tokio::test]
async fn all_users_are_listed_by_id() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let users = app
        .users(["ada", "ben", "cleo", "dora", "emma", "fay", "gus"])
        .await;
    let mut expected = users.map(|user| user.id);
    expected.sort();

    let found = all_pages(async |page_token| {
        let request = ListUsersRequest {
            page_size: 3,
            page_token,
            ..Default::default()
        };
        let page = viewer.calls().list_users(request).await;
        let page = page.expect("a page").into_inner();
        assert!(page.users.len() <= 3);
        (page.users, page.next_page_token)
    });
    let found: Vec<_> = found.await.into_iter().map(|user| user.user_id).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_user_is_found_by_the_address_in_any_case() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let [ada, _] = app.users(["ada", "ben"]).await;
    let find = async |email: &str| {
        let request = ListUsersRequest {
            email: email.to_owned(),
            ..Default::default()
        };
        let reply = viewer.calls().list_users(request).await;
        let users = reply.expect("a list").into_inner().users.into_iter();
        users.map(|user| user.user_id).collect::<Vec<_>>()
    };
    assert_eq!(find("ADA@example.org").await, [ada.id]);
    assert_eq!(find("nobody@example.org").await, [""; 0]);
}
