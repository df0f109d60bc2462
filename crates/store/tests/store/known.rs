//! A competition that was read a moment ago: what another look costs, and that nobody sees what was.

use domain::{Competition, CompetitionId, Title, UserId};
use store::Error;

use crate::world::{World, eventually, first_page, places};

/// Changes the title behind everybody's back: the revision stays.
async fn rename_by_hand(world: &World, cup: &CompetitionId, title: &str) {
    let meta = format!("c:{{{cup}}}:meta");
    world.root::<u32>(&["HSET", &meta, "title", title]).await;
}

/// A world whose user-service is connected: what is read while it connects need not be known afterwards.
async fn connected() -> World {
    let world = World::new().await;
    world.person().await;
    world
}

async fn look(world: &World, cup: &CompetitionId) -> Competition {
    world.user.get_public_competition(cup).await.expect("there")
}

/// Its competition as a user sees it beside the own registration.
async fn look_from_within(world: &World, user: &UserId) -> Competition {
    let page = world.user.my_registrations(user, &first_page(9)).await;
    let mut registrations = page.expect("a page").items;
    registrations.pop().expect("a registration").1
}

#[tokio::test]
async fn another_look_at_a_competition_that_stands_is_one_small_command() {
    let world = connected().await;
    let cup = world.competition(places(9)).await;
    // On a busy machine it may be too long ago when the other look comes.
    eventually("one GET and nothing else", async || {
        let first = look(&world, &cup).await;
        let before = (world.calls("hgetall").await, world.calls("get").await);
        assert_eq!(look(&world, &cup).await, first);
        let after = (world.calls("hgetall").await, world.calls("get").await);
        (after.0 - before.0, after.1 - before.1) == (0, 1)
    })
    .await;
}

#[tokio::test]
async fn every_change_is_seen_by_the_next_look() {
    let world = connected().await;
    let cup = world.competition(places(2)).await;
    let people = world.people(3).await;
    for (user, count) in people.iter().zip([(1, 0), (2, 0), (2, 1)]) {
        look(&world, &cup).await;
        world.register(user, &cup).await.expect("in");
        assert_eq!(world.counts(&cup).await, count);
        let found = look_from_within(&world, user).await;
        assert_eq!((found.confirmed_count, found.waitlisted_count), count);
    }
    world.capacity(&cup, 3).await.expect("a place more");
    assert_eq!(world.counts(&cup).await, (3, 0));
    assert_eq!(
        look_from_within(&world, &people[0]).await.confirmed_count,
        3
    );
    world.cancel(&cup).await.expect("cancelled");
    let state = domain::CompetitionState::Cancelled;
    assert_eq!(look(&world, &cup).await.state, state);
    assert_eq!(look_from_within(&world, &people[0]).await.state, state);
}

#[tokio::test]
async fn a_draft_that_was_deleted_is_gone() {
    let world = connected().await;
    let draft = world.draft(places(1)).await;
    let read = world.admin.get_competition(&draft).await;
    read.expect("there");
    let request = domain::RequestId::random();
    let deleted = world
        .admin
        .delete_competition(&world.organiser, &draft, request);
    deleted.await.expect("deleted");
    let found = world.admin.get_competition(&draft).await;
    assert!(matches!(found, Err(Error::Rejected(_))), "{found:?}");
}

#[tokio::test]
async fn another_redis_by_the_same_revision_is_asked_again() {
    let mut world = connected().await;
    let cup = world.competition(places(9)).await;
    let ada = world.person().await;
    world.register(&ada, &cup).await.expect("in");
    look(&world, &cup).await;
    look_from_within(&world, &ada).await;

    rename_by_hand(&world, &cup, "Summer Cup").await;
    world.redis.kill();
    world.redis.restart().expect("it is there");
    let found = world.user.my_registrations(&ada, &first_page(9)).await;
    let within = &found.expect("a page").items[0].1;
    assert_eq!(
        within.details.title,
        Title::parse("Summer Cup").expect("a title")
    );
    let found = look(&world, &cup).await;
    assert_eq!(found.details.title.as_str(), "Summer Cup");
}

#[tokio::test]
async fn what_is_repaired_by_hand_is_seen_soon_however_often_it_is_looked_at() {
    let world = connected().await;
    let cup = world.competition(places(9)).await;
    let ada = world.person().await;
    world.register(&ada, &cup).await.expect("in");
    look(&world, &cup).await;
    rename_by_hand(&world, &cup, "Summer Cup").await;
    eventually("it is seen", async || {
        look_from_within(&world, &ada).await.details.title.as_str() == "Summer Cup"
            && look(&world, &cup).await.details.title.as_str() == "Summer Cup"
    })
    .await;
}
