//! The cache of competitions: what a cached read costs, and that no read returns an old state.

use domain::{Competition, CompetitionId, Title, UserId};
use store::Error;

use crate::world::{World, eventually, first_page, new_request, places};

/// Changes the title directly in Redis, without a new revision.
async fn rename_by_hand(world: &World, cup: &CompetitionId, title: &str) {
    let meta = format!("c:{{{cup}}}:meta");
    world.root::<u32>(&["HSET", &meta, "title", title]).await;
}

/// A world whose user-service is connected, because what it reads while it connects is not cached.
async fn connected() -> World {
    let world = World::new().await;
    world.person().await;
    world
}

async fn read(world: &World, cup: &CompetitionId) -> Competition {
    let found = world.user.get_public_competition(cup).await;
    found.expect("a competition")
}

/// Reads the competition of a user's only registration.
async fn read_with_registration(world: &World, user: &UserId) -> Competition {
    let page = world.user.my_registrations(user, &first_page(9)).await;
    let mut registrations = page.expect("a page").items;
    registrations.pop().expect("a registration").1
}

#[tokio::test]
async fn a_cached_read_of_an_unchanged_competition_is_one_small_command() {
    let world = connected().await;
    let cup = world.competition(places(9)).await;
    // On a busy machine the cached competition may expire before the second read.
    eventually("one GET and nothing else", async || {
        let calls = |command| world.redis.command_count(command);
        let first = read(&world, &cup).await;
        let before = (calls("hgetall").await, calls("get").await);
        assert_eq!(read(&world, &cup).await, first);
        let after = (calls("hgetall").await, calls("get").await);
        (after.0 - before.0, after.1 - before.1) == (0, 1)
    })
    .await;
}

#[tokio::test]
async fn every_change_is_seen_by_the_next_read() {
    let world = connected().await;
    let cup = world.competition(places(2)).await;
    let people = world.people(3).await;
    for (user, count) in people.iter().zip([(1, 0), (2, 0), (2, 1)]) {
        read(&world, &cup).await;
        world.register(user, &cup).await.expect("in");
        let found = read(&world, &cup).await;
        assert_eq!((found.confirmed_count, found.waitlisted_count), count);
        let found = read_with_registration(&world, user).await;
        assert_eq!((found.confirmed_count, found.waitlisted_count), count);
    }
    world.capacity(&cup, 3).await.expect("a place more");
    assert_eq!(read(&world, &cup).await.confirmed_count, 3);
    let found = read_with_registration(&world, &people[0]).await;
    assert_eq!(found.confirmed_count, 3);
    world.cancel(&cup).await.expect("cancelled");
    let state = domain::CompetitionState::Cancelled;
    assert_eq!(read(&world, &cup).await.state, state);
    assert_eq!(
        read_with_registration(&world, &people[0]).await.state,
        state
    );
}

#[tokio::test]
async fn a_deleted_draft_is_not_found() {
    let world = connected().await;
    let draft = world.draft(places(1)).await;
    let found = world.admin.get_competition(&draft).await;
    found.expect("a draft");
    let by = &world.organiser;
    let deleted = world.admin.delete_competition(by, &draft, new_request());
    deleted.await.expect("deleted");
    let found = world.admin.get_competition(&draft).await;
    assert!(matches!(found, Err(Error::Rejected(_))), "{found:?}");
}

#[tokio::test]
async fn after_a_restart_of_redis_competitions_are_read_again() {
    let mut world = connected().await;
    let cup = world.competition(places(9)).await;
    let ada = world.person().await;
    world.register(&ada, &cup).await.expect("in");
    read(&world, &cup).await;
    read_with_registration(&world, &ada).await;

    rename_by_hand(&world, &cup, "Summer Cup").await;
    world.redis.kill();
    world.redis.restart().expect("it is there");
    let found = world.user.my_registrations(&ada, &first_page(9)).await;
    let within = &found.expect("a page").items[0].1;
    assert_eq!(
        within.details.title,
        Title::parse("Summer Cup").expect("a title")
    );
    let found = read(&world, &cup).await;
    assert_eq!(found.details.title.as_str(), "Summer Cup");
}

#[tokio::test]
async fn a_manual_change_is_seen_soon_however_often_the_competition_is_read() {
    let world = connected().await;
    let cup = world.competition(places(9)).await;
    let ada = world.person().await;
    world.register(&ada, &cup).await.expect("in");
    read(&world, &cup).await;
    rename_by_hand(&world, &cup, "Summer Cup").await;
    eventually("the change is seen", async || {
        read_with_registration(&world, &ada)
            .await
            .details
            .title
            .as_str()
            == "Summer Cup"
            && read(&world, &cup).await.details.title.as_str() == "Summer Cup"
    })
    .await;
}
