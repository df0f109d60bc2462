use api::admin::{DisableAdminRequest, ListAdminsRequest};
use domain::Role;
use integration_tests::Startlist;

#[tokio::test]
async fn all_are_listed_by_their_ids_disabled_ones_too() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let mut expected = vec![(owner.id.clone(), false)];
    for name in ["mia", "noa", "pia"] {
        let admin = app.new_admin(name, Role::Viewer).await;
        expected.push((admin.id, name == "pia"));
    }
    let admin_id = expected[3].0.clone();
    let request = DisableAdminRequest {
        admin_id,
        ..Default::default()
    };
    owner
        .calls()
        .disable_admin(request)
        .await
        .expect("disabled");
    expected.sort();

    let mut found = Vec::new();
    let mut request = ListAdminsRequest {
        page_size: 3,
        ..Default::default()
    };
    loop {
        let page = owner
            .calls()
            .list_admins(request.clone())
            .await
            .expect("a page")
            .into_inner();
        assert!(page.admins.len() <= 3);
        found.extend(
            page.admins
                .into_iter()
                .map(|admin| (admin.admin_id, admin.disabled)),
        );
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(found, expected);
}
