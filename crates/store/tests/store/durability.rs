//! What a call has returned is on disk.

use testkit::TestRedis;

use crate::world::{World, places};

#[tokio::test]
async fn nothing_that_was_returned_is_lost_when_redis_is_killed() {
    check_data_after(|redis| redis.kill()).await;
}

/// With an ACL that gives the default user no rights, Redis 7.0 dropped most of the append-only
/// file when it started.
#[tokio::test]
async fn nothing_that_was_returned_is_lost_when_redis_is_stopped() {
    check_data_after(|redis| redis.stop().expect("it ends")).await;
}

async fn check_data_after(end: impl FnOnce(&mut TestRedis)) {
    let mut world = World::new().await;
    let cup = world.competition(places(10)).await;
    for person in world.people(20).await {
        world.register(&person, &cup).await.expect("a registration");
    }
    let keys: u64 = world.root(&["DBSIZE"]).await;

    end(&mut world.redis);
    world.redis.restart().expect("a restart");

    assert_eq!(world.root::<u64>(&["DBSIZE"]).await, keys);
    let (confirmed, waitlisted) = world.counts(&cup).await;
    assert_eq!(confirmed + waitlisted, 20);
}
