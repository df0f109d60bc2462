//! What was answered is on disk.

use redis_server::RedisServer;

use crate::world::{World, places};

#[tokio::test]
async fn all_that_was_answered_is_there_after_redis_was_killed() {
    comes_back(RedisServer::kill).await;
}

/// Redis 7.0 once dropped most of what it had written, when the ACL left the default user no rights.
#[tokio::test]
async fn all_that_was_answered_is_there_after_redis_was_stopped() {
    comes_back(|redis| redis.stop().expect("it ends")).await;
}

async fn comes_back(end: impl FnOnce(&mut RedisServer)) {
    let mut world = World::new().await;
    let cup = world.competition(places(10)).await;
    for person in world.people(20).await {
        world.register(&person, &cup).await.expect("a registration");
    }
    let keys: u64 = world.root(&["DBSIZE"]).await;

    end(&mut world.redis);
    world.redis.restart().expect("it comes back");

    assert_eq!(world.root::<u64>(&["DBSIZE"]).await, keys);
    let found = world
        .admin
        .get_competition(&cup)
        .await
        .expect("it is there");
    assert_eq!(found.confirmed_count + found.waitlisted_count, 20);
}
