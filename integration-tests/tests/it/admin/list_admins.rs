use api::admin::ListAdminsRequest;
use domain::Role;
use integration_tests::{Startlist, all_pages};

#[tokio::test]
async fn all_admins_are_listed_by_id_including_disabled_ones() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let mut expected = vec![(owner.id.clone(), false)];
    for name in ["mia", "noa", "pia"] {
        let admin = app.new_admin(name, Role::Viewer).await;
        expected.push((admin.id, name == "pia"));
    }
    owner.disable(&expected[3].0).await.expect("disabled");
    expected.sort();

    let admins = all_pages(async |page_token| {
        let request = ListAdminsRequest {
            page_size: 3,
            page_token,
        };
        let page = owner.calls().list_admins(request).await;
        let page = page.expect("a page").into_inner();
        assert!(page.admins.len() <= 3);
        (page.admins, page.next_page_token)
    });
    let admins = admins.await.into_iter();
    let found: Vec<_> = admins
        .map(|admin| (admin.admin_id, admin.disabled))
        .collect();
    assert_eq!(found, expected);
}
