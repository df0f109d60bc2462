use api::user::GetMeRequest;
use integration_tests::Startlist;

#[tokio::test]
async fn everybody_gets_oneself() {
    let app = Startlist::start().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    for user in [ada, ben] {
        let me = user
            .calls()
            .get_me(GetMeRequest {})
            .await
            .expect("signed in");
        let me = me.into_inner().user.expect("a user");
        assert_eq!((me.user_id, me.email), (user.id, user.email));
        assert!(!me.etag.is_empty());
    }
}
