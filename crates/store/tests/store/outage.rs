//! Redis that is away, killed, frozen, full, or has forgotten the scripts.

use std::time::{Duration, Instant};

use domain::RegistrationState::{Confirmed, Withdrawn};
use domain::{CompetitionId, Registration, RequestId, UserId};
use store::{Error, Redis, UserStore};
use store::{WriteOutcome, WriteTracker};

use crate::world::{
    World, email, eventually, first_page, join_all, new_request, new_user, password, places,
    start_redis,
};

/// The longest that a caller waits for the word that Redis is not there.
const SOON: Duration = Duration::from_secs(2);

/// Whether the answer is UNAVAILABLE, and came soon.
async fn is_refused_soon<T: std::fmt::Debug>(call: impl Future<Output = store::Result<T>>) {
    let start = Instant::now();
    let answer = call.await;
    let took = start.elapsed();
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    assert!(took < SOON, "it took {took:?}");
}

/// Each kind of call: reads, writes, and those of accounts.
async fn everything_is_refused_soon(world: &World, user: &UserId, cup: &CompetitionId) {
    is_refused_soon(world.user.redis().ping()).await;
    is_refused_soon(world.user.get_public_competition(cup)).await;
    is_refused_soon(world.user.my_registrations(user, &first_page(10))).await;
    is_refused_soon(world.register(user, cup)).await;
    is_refused_soon(world.withdraw(user, cup)).await;
    is_refused_soon(world.user.sign_up(&new_user("late"), &password("late"))).await;
    is_refused_soon(world.user.credentials().find(&email("late"))).await;
    is_refused_soon(world.admin.list_users(&first_page(10))).await;
    is_refused_soon(world.admin.redis().setup_warnings()).await;
}

async fn works_again(world: &World) {
    eventually("Redis is back", async || {
        world.user.redis().ping().await.is_ok()
    })
    .await;
    let cup = world.competition(places(1)).await;
    let user = world.person().await;
    let answer = world.register(&user, &cup).await;
    assert_eq!(answer.expect("it works again").state, Confirmed);
}

#[tokio::test]
async fn a_store_can_be_there_before_redis_is() {
    let mut world = World::new().await;
    let cup = world.competition(places(1)).await;
    let ada = world.person().await;
    world.redis.kill();
    world.user = world.another_user_store();
    is_refused_soon(world.user.redis().ping()).await;
    is_refused_soon(world.user.get_public_competition(&cup)).await;
    is_refused_soon(world.register(&ada, &cup)).await;
    world.redis.restart().expect("it is there");
    world
        .register(&ada, &cup)
        .await
        .expect("with the first call after that");
}

#[tokio::test]
async fn a_redis_that_was_killed_is_found_again_with_all_that_it_answered() {
    let mut world = World::new().await;
    let cup = world.competition(places(3)).await;
    let people = world.people(3).await;
    world.register(&people[0], &cup).await.expect("in");
    world.redis.kill();
    everything_is_refused_soon(&world, &people[1], &cup).await;
    world.redis.restart().expect("it is back");
    world
        .register(&people[1], &cup)
        .await
        .expect("with the first call after that");
    assert_eq!(
        world.counts(&cup).await,
        (2, 0),
        "nothing that was answered is lost"
    );
    works_again(&world).await;
}

#[tokio::test]
async fn a_redis_that_was_killed_and_is_back_is_not_even_noticed() {
    let mut world = World::new().await;
    let cup = world.competition(places(3)).await;
    let ada = world.person().await;
    world.redis.kill();
    world.redis.restart().expect("it is back");
    // Scripts and connections are gone; both are replaced on the way.
    world.register(&ada, &cup).await.expect("in");
    world.withdraw(&ada, &cup).await.expect("withdrawn");
    world
        .user
        .redis()
        .ping()
        .await
        .expect("the health check too");
}

#[tokio::test]
async fn a_frozen_redis_is_told_soon_and_used_again_when_it_goes_on() {
    let mut world = World::new().await;
    let cup = world.competition(places(3)).await;
    let ada = world.person().await;
    world.user.redis().ping().await.expect("it answers");
    world.redis.freeze().expect("frozen");
    everything_is_refused_soon(&world, &ada, &cup).await;
    world.redis.thaw().expect("it goes on");
    works_again(&world).await;
}

#[tokio::test]
async fn who_waits_behind_others_is_told_soon_too() {
    let mut world = World::new().await;
    let cup = world.competition(places(3)).await;
    let people = world.people(600).await;
    world.redis.freeze().expect("frozen");
    let start = Instant::now();
    let answers = join_all(people.iter().map(|user| world.register(user, &cup))).await;
    assert!(start.elapsed() < SOON, "it took {:?}", start.elapsed());
    for answer in answers {
        assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    }
    world.redis.thaw().expect("it goes on");
    works_again(&world).await;
}

#[tokio::test]
async fn scripts_that_redis_forgot_are_loaded_again() {
    let world = World::new().await;
    let cup = world.competition(places(30)).await;
    let people = world.people(20).await;
    let forget = async || {
        let _: String = world.root(&["SCRIPT", "FLUSH"]).await;
    };
    forget().await;
    for answer in join_all(people.iter().map(|user| world.register(user, &cup))).await {
        answer.expect("in");
    }
    forget().await;
    world.withdraw(&people[0], &cup).await.expect("withdrawn");
    forget().await;
    let mine = world
        .user
        .my_registrations(&people[0], &first_page(10))
        .await
        .expect("a list");
    assert_eq!(mine.items.len(), 1);
    forget().await;
    world.sign_up("late").await;
    assert_eq!(world.counts(&cup).await, (19, 0));
}

/// Follows a registration and says what is known of it.
async fn followed(
    store: &UserStore,
    user: &UserId,
    cup: &CompetitionId,
    request: RequestId,
) -> (store::Result<Registration>, WriteOutcome) {
    let tracker = WriteTracker::default();
    let (store, user, cup) = (store.clone(), user.clone(), cup.clone());
    let answer = tracker
        .follow(async move { store.register(&user, &cup, request).await })
        .await;
    (answer, tracker.outcome())
}

#[tokio::test]
async fn what_was_not_sent_was_not_applied() {
    let mut world = World::new().await;
    let cup = world.competition(places(1)).await;
    let ada = world.person().await;
    world.redis.kill();
    // Sees that the connection is broken, as the session check does before each registration.
    assert!(world.user.get_public_competition(&cup).await.is_err());
    let (answer, outcome) = followed(&world.user, &ada, &cup, new_request()).await;
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    assert_eq!(outcome, WriteOutcome::NotApplied);
    world.redis.restart().expect("it is back");
    assert_eq!(world.counts(&cup).await, (0, 0));
}

#[tokio::test]
async fn what_was_sent_without_an_answer_may_be_applied_and_a_repetition_finds_out() {
    let mut world = World::new().await;
    let cup = world.competition(places(1)).await;
    let ada = world.person().await;
    // A script that Redis does not know yet is not run later either.
    world
        .register(&world.person().await, &world.competition(places(1)).await)
        .await
        .expect("in");
    let request = new_request();
    world.redis.freeze().expect("frozen");
    let (answer, outcome) = followed(&world.user, &ada, &cup, request).await;
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    assert_eq!(outcome, WriteOutcome::Unknown);
    world.redis.thaw().expect("it goes on");
    eventually("it is applied after all", async || {
        world.counts(&cup).await == (1, 0)
    })
    .await;
    let (answer, _) = followed(&world.user, &ada, &cup, request).await;
    assert_eq!(answer.expect("the first answer").state, Confirmed);
    assert_eq!(world.counts(&cup).await, (1, 0));
}

#[tokio::test]
async fn what_redis_refuses_to_write_is_not_applied() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let ada = world.person().await;
    let _: String = world.root(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let (answer, outcome) = followed(&world.user, &ada, &cup, new_request()).await;
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    assert_eq!(outcome, WriteOutcome::NotApplied);
    assert_eq!(world.counts(&cup).await, (0, 0));
}

#[tokio::test]
async fn a_full_memory_refuses_what_is_new_and_lets_read_and_give_up() {
    let world = World::new().await;
    let cup = world.competition(places(2)).await;
    let people = world.people(4).await;
    for user in &people[..3] {
        world.register(user, &cup).await.expect("in");
    }
    let (ada, session) = world.sign_up("ada").await;
    world
        .add(&ada, &cup, domain::AddOptions::default())
        .await
        .expect("queued");
    let _: String = world.root(&["CONFIG", "SET", "maxmemory", "1"]).await;

    is_refused_soon(world.register(&people[3], &cup)).await;
    is_refused_soon(world.user.sign_up(&new_user("late"), &password("late"))).await;
    is_refused_soon(world.cancel(&cup)).await;

    world.user.redis().ping().await.expect("it answers");
    let found = world
        .user
        .user_session(&session.token)
        .await
        .expect("an answer");
    assert_eq!(found.as_ref(), Some(&ada));
    assert_eq!(world.counts(&cup).await, (2, 2));
    assert_eq!(world.state(&people[0], &cup).await, Confirmed);
    world
        .user
        .my_registrations(&people[0], &first_page(10))
        .await
        .expect("a list");
    let entries = world
        .admin
        .list_registrations(&cup, &[Confirmed], &first_page(10))
        .await;
    assert_eq!(entries.expect("a list").items.len(), 2);
    // A process that has just started reads too.
    let fresh = world.another_user_store();
    assert!(
        fresh
            .credentials()
            .find(&email("ada"))
            .await
            .expect("an attempt")
            .credential()
            .is_some()
    );

    let gone = world.withdraw(&people[0], &cup).await.expect("withdrawn");
    assert_eq!(gone.state, Withdrawn);
    assert_eq!(
        world.state(&people[2], &cup).await,
        Confirmed,
        "and the queue is promoted"
    );
    world.remove(&people[1], &cup).await.expect("removed");
    world.erase("ada", &ada, &session).await;
    world
        .user
        .end_user_sessions(&people[2], None)
        .await
        .expect("signed out");

    let _: String = world.root(&["CONFIG", "SET", "maxmemory", "0"]).await;
    world.register(&people[3], &cup).await.expect("in");
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_without_showing_its_password() {
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
    let (redis, _folder) = start_redis(&[]);
    let url = redis.url_for("user-service").expect("a user");
    let (before, rest) = url.split_once("user-service:").expect("a password");
    let (password, address) = rest.split_once('@').expect("an address");
    let url = format!("{before}user-service@{address}");
    let redis = Redis::new(&url, Some(password)).expect("a URL");
    redis.ping().await.expect("a password beside the URL does");
}
