//! Outages: Redis is down, killed, frozen, or has lost its scripts.

use std::time::{Duration, Instant};

use domain::RegistrationState::Confirmed;
use domain::{CompetitionId, Registration, RequestId, UserId};
use store::{Error, Redis, UserStore, WriteOutcome, WriteTracker};
use testkit::TestRedis;

use crate::world::{
    World, email, eventually, first_page, here, join_all, new_request, new_user, password, places,
};

/// The time in which a call must fail if Redis is down.
const MAX_DELAY: Duration = Duration::from_secs(2);

/// Checks that a call fails with `Unavailable` in time.
async fn fails_soon<T: std::fmt::Debug>(call: impl Future<Output = store::Result<T>>) {
    let start = Instant::now();
    let result = call.await;
    let took = start.elapsed();
    assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
    assert!(took < MAX_DELAY, "it took {took:?}");
}

/// Makes one call of each kind: reads, writes, and calls about accounts.
async fn everything_fails_soon(world: &World, user: &UserId, cup: &CompetitionId) {
    fails_soon(world.user.get_public_competition(cup)).await;
    fails_soon(world.user.my_registrations(user, &first_page(10))).await;
    fails_soon(world.register(user, cup)).await;
    fails_soon(world.withdraw(user, cup)).await;
    fails_soon(world.user.sign_up(&new_user("late"), &password("late"))).await;
    fails_soon(world.user.credentials().begin(&email("late"), here())).await;
    fails_soon(world.admin.list_users(&first_page(10))).await;
    fails_soon(world.admin.redis().setup_warnings()).await;
}

async fn recovers(world: &World) {
    eventually("Redis replies", async || {
        world.user.redis().check().await.is_ok()
    })
    .await;
    let cup = world.competition(places(1)).await;
    let user = world.person().await;
    let result = world.register(&user, &cup).await;
    assert_eq!(result.expect("a registration").state, Confirmed);
}

#[tokio::test]
async fn a_store_can_be_created_before_redis_is_started() {
    let mut world = World::new().await;
    let cup = world.competition(places(1)).await;
    let ada = world.person().await;
    world.redis.kill();
    world.user = world.another_user_store();
    fails_soon(world.user.get_public_competition(&cup)).await;
    fails_soon(world.register(&ada, &cup)).await;
    world.redis.restart().expect("a restart");
    world
        .register(&ada, &cup)
        .await
        .expect("the first call after the restart");
}

#[tokio::test]
async fn a_restarted_redis_is_used_again_and_has_lost_nothing() {
    let mut world = World::new().await;
    let cup = world.competition(places(3)).await;
    let people = world.people(3).await;
    world.register(&people[0], &cup).await.expect("in");
    world.redis.kill();
    everything_fails_soon(&world, &people[1], &cup).await;
    world.redis.restart().expect("a restart");
    world
        .register(&people[1], &cup)
        .await
        .expect("the first call after the restart");
    assert_eq!(world.counts(&cup).await, (2, 0), "nothing is lost");
    recovers(&world).await;
}

#[tokio::test]
async fn a_quick_restart_of_redis_fails_no_call() {
    let mut world = World::new().await;
    let cup = world.competition(places(3)).await;
    let ada = world.person().await;
    world.redis.kill();
    world.redis.restart().expect("a restart");
    // Redis has lost its connections and its scripts. The call opens and loads them again.
    world.register(&ada, &cup).await.expect("in");
    world.withdraw(&ada, &cup).await.expect("withdrawn");
    world
        .user
        .redis()
        .check()
        .await
        .expect("the health check too");
}

#[tokio::test]
async fn calls_to_a_frozen_redis_fail_soon_and_succeed_after_it_is_thawed() {
    let mut world = World::new().await;
    let cup = world.competition(places(3)).await;
    let ada = world.person().await;
    world.user.redis().check().await.expect("a reply");
    world.redis.freeze().expect("frozen");
    everything_fails_soon(&world, &ada, &cup).await;
    world.redis.thaw().expect("thawed");
    recovers(&world).await;
}

#[tokio::test]
async fn a_call_that_waits_for_a_batch_fails_soon_too() {
    let mut world = World::new().await;
    let cup = world.competition(places(3)).await;
    let people = world.people(600).await;
    world.redis.freeze().expect("frozen");
    let start = Instant::now();
    let results = join_all(people.iter().map(|user| world.register(user, &cup))).await;
    assert!(start.elapsed() < MAX_DELAY, "it took {:?}", start.elapsed());
    for result in results {
        assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
    }
    world.redis.thaw().expect("thawed");
    recovers(&world).await;
}

#[tokio::test]
async fn scripts_that_redis_has_lost_are_loaded_again() {
    let world = World::new().await;
    let cup = world.competition(places(30)).await;
    let people = world.people(20).await;
    let flush_scripts = async || {
        let _: String = world.root(&["SCRIPT", "FLUSH"]).await;
    };
    flush_scripts().await;
    for result in join_all(people.iter().map(|user| world.register(user, &cup))).await {
        result.expect("in");
    }
    flush_scripts().await;
    world.withdraw(&people[0], &cup).await.expect("withdrawn");
    flush_scripts().await;
    let mine = world
        .user
        .my_registrations(&people[0], &first_page(10))
        .await
        .expect("a list");
    assert_eq!(mine.items.len(), 1);
    flush_scripts().await;
    world.sign_up("late").await;
    assert_eq!(world.counts(&cup).await, (19, 0));
}

/// Registers a user and tracks the write.
async fn tracked_register(
    store: &UserStore,
    user: &UserId,
    cup: &CompetitionId,
    request: RequestId,
) -> (store::Result<Registration>, WriteOutcome) {
    let tracker = WriteTracker::default();
    let (store, user, cup) = (store.clone(), user.clone(), cup.clone());
    let result = tracker
        .follow(async move { store.register(&user, &cup, request).await })
        .await;
    (result, tracker.outcome())
}

#[tokio::test]
async fn a_write_that_was_not_sent_is_not_applied() {
    let mut world = World::new().await;
    let cup = world.competition(places(1)).await;
    let ada = world.person().await;
    world.redis.kill();
    // This call notices the broken connection, as the check of the session does in a service.
    assert!(world.user.get_public_competition(&cup).await.is_err());
    let (result, outcome) = tracked_register(&world.user, &ada, &cup, new_request()).await;
    assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
    assert_eq!(outcome, WriteOutcome::NotApplied);
    world.redis.restart().expect("a restart");
    assert_eq!(world.counts(&cup).await, (0, 0));
}

#[tokio::test]
async fn a_write_without_a_reply_may_be_applied_and_a_repetition_returns_the_result() {
    let mut world = World::new().await;
    let cup = world.competition(places(1)).await;
    let ada = world.person().await;
    // Loads the script, because a script that Redis does not know is not run later either. And the
    // competition has accepted a registration, so that the next one is sent without a question.
    let other = world.person().await;
    world.register(&other, &cup).await.expect("in");
    world.withdraw(&other, &cup).await.expect("withdrawn");
    let request = new_request();
    world.redis.freeze().expect("frozen");
    let (result, outcome) = tracked_register(&world.user, &ada, &cup, request).await;
    assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
    assert_eq!(outcome, WriteOutcome::Unknown);
    world.redis.thaw().expect("thawed");
    eventually("the write is applied", async || {
        world.counts(&cup).await == (1, 0)
    })
    .await;
    let (result, _) = tracked_register(&world.user, &ada, &cup, request).await;
    assert_eq!(result.expect("the first reply").state, Confirmed);
    assert_eq!(world.counts(&cup).await, (1, 0));
}

#[tokio::test]
async fn an_invalid_url_is_refused_without_showing_its_password() {
    for url in [
        "",
        "http://localhost",
        "redis://",
        "redis://user:secret@host:port",
    ] {
        if let Err(invalid) = Redis::new(url, None) {
            assert!(!invalid.to_string().contains("secret"), "{invalid}");
        } else {
            assert_eq!(url, "redis://", "a URL without a host means this machine");
        }
    }
    let redis = TestRedis::start();
    let url = redis.url("user-service");
    let (before, rest) = url.split_once("user-service:").expect("a password");
    let (password, address) = rest.split_once('@').expect("an address");
    let url = format!("{before}user-service@{address}");
    let redis = Redis::new(&url, Some(password)).expect("a URL");
    redis
        .check()
        .await
        .expect("a login with the separate password");
}
