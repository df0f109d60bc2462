//! A system as it must be.

use api::admin::DisableAdminRequest;
use domain::Role;
use integration_tests::{DAY, from_now};
use testkit::TestRedis;

use super::{System, assert_sound, delete_account, doctor};

#[tokio::test]
async fn whatever_the_services_did_a_system_is_sound() {
    let system = System::start().await;
    let app = &system.app;
    let olga = app.organiser().await;
    let race = app.competition().capacity(1).open().await;
    let (ada, ben) = (
        system.runner("ada", &race).await,
        system.runner("ben", &race).await,
    );
    let (cyd, dan) = (
        system.runner("cyd", &race).await,
        system.runner("dan", &race).await,
    );
    ada.withdraw(&race).await.expect("withdrawn");
    olga.remove(&race, &cyd).await.expect("removed");
    system.seal().await;
    ada.register(&race).await.expect("again");
    let moved = {
        let mut race = race.clone();
        race.starts_at = Some(from_now(40 * DAY));
        race.ends_at = Some(from_now(41 * DAY));
        race.capacity = Some(2);
        race
    };
    let mask = ["starts_at", "ends_at", "capacity"];
    olga.update(moved, &mask).await.expect("updated");
    delete_account(&dan).await;
    delete_account(&ben).await;

    // What is over keeps the records of an account that is deleted.
    let over = app.competition().over().open().await;
    let eve = app.new_user("eve").await;
    let added = olga.add_with(&over, &eve, |request| request.ignore_window = true);
    added.await.expect("added");
    delete_account(&eve).await;
    let off = app.competition().open().await;
    system.runner("fay", &off).await;
    olga.cancel(&off).await.expect("cancelled");
    let draft = app.competition().draft().await;
    olga.delete(&draft).await.expect("deleted");
    app.competition().draft().await;

    let zoe = app.new_admin("zoe", Role::Owner).await;
    let request = DisableAdminRequest {
        admin_id: zoe.id.clone(),
        ..Default::default()
    };
    let owner = app.owner().await;
    owner
        .calls()
        .disable_admin(request)
        .await
        .expect("disabled");

    let ended = system.examine().await;
    assert_sound(&ended);
    assert!(ended.stdout.contains(" 5 competitions, "), "{ended:?}");
    assert_eq!(ended.stderr, "", "nothing to say of a short examination");
}

#[tokio::test]
async fn where_there_is_nothing_nothing_is_wrong() {
    let redis = TestRedis::start();
    let url = redis.url("doctor");
    assert_sound(&doctor(&["doctor"], &[("STARTLIST_REDIS_URL", url)]).await);
}
