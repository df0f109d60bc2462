use api::admin::GetMeRequest;
use api::v1::AdminRole;
use integration_tests::Startlist;

#[tokio::test]
async fn every_admin_gets_oneself() {
    let app = Startlist::start().await;
    for (admin, role) in [
        (app.owner().await, AdminRole::Owner),
        (app.organiser().await, AdminRole::Organiser),
        (app.viewer().await, AdminRole::Viewer),
    ] {
        let me = admin
            .calls()
            .get_me(GetMeRequest {})
            .await
            .expect("signed in");
        let me = me.into_inner().admin.expect("an admin");
        assert_eq!((&me.admin_id, &me.email), (&admin.id, &admin.email));
        assert_eq!((me.role(), me.disabled), (role, false));
    }
}
