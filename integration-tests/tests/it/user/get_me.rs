use integration_tests::Startlist;

#[tokio::test]
async fn each_user_reads_their_own_profile() {
    let app = Startlist::start().await;
    for user in app.users(["ada", "ben"]).await {
        let me = user.me().await.expect("signed in");
        assert_eq!((me.user_id, me.email), (user.id, user.email));
        assert!(!me.etag.is_empty());
    }
}
