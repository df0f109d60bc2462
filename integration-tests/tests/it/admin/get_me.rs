use api::v1::AdminRole;
use integration_tests::Startlist;

#[tokio::test]
async fn each_admin_reads_their_own_account() {
    let app = Startlist::start().await;
    for (admin, role) in [
        (app.owner().await, AdminRole::Owner),
        (app.organiser().await, AdminRole::Organiser),
        (app.viewer().await, AdminRole::Viewer),
    ] {
        let me = admin.me().await.expect("signed in");
        assert_eq!((&me.admin_id, &me.email), (&admin.id, &admin.email));
        assert_eq!((me.role(), me.disabled), (role, false));
    }
}
