//! Rule 2: a free place goes to the first user of the waitlist, however it became free.

use domain::RegistrationState::{Confirmed, Waitlisted, Withdrawn};
use domain::{AddOptions, CompetitionPatch, Revision};
use store::Error;

use super::OVER_CAPACITY;
use crate::world::{World, join_all, places};

#[tokio::test]
async fn rule_2_a_new_registration_never_passes_the_waitlist() {
    let world = World::new().await;
    let people = world.people(3).await;
    let cup = world.competition(places(1)).await;
    for user in &people[..2] {
        world.register(user, &cup).await.expect("in");
    }
    world.withdraw(&people[0], &cup).await.expect("withdrawn");
    let late = world.register(&people[2], &cup).await.expect("queued");
    assert_eq!(late.waitlist_position, Some(1));
    assert_eq!(world.state(&people[1], &cup).await, Confirmed);
}

#[tokio::test]
async fn rule_2_a_withdrawal_promotes_the_first_user_of_the_waitlist_in_the_same_step() {
    let world = World::new().await;
    let people = world.people(3).await;
    let cup = world.competition(places(1)).await;
    for user in &people {
        world.register(user, &cup).await.expect("in");
    }
    let gone = world.withdraw(&people[0], &cup).await.expect("withdrawn");
    let next = world
        .user
        .my_registration(&people[1], &cup)
        .await
        .expect("in");
    assert_eq!(
        (next.state, next.revision),
        (Confirmed, Revision::new(gone.revision.get() + 1))
    );
    let waits = world
        .user
        .my_registration(&people[2], &cup)
        .await
        .expect("in");
    assert_eq!(waits.waitlist_position, Some(1), "the users behind move up");
}

#[tokio::test]
async fn rule_2_a_removal_promotes_the_first_user_of_the_waitlist() {
    let world = World::new().await;
    let people = world.people(2).await;
    let cup = world.competition(places(1)).await;
    for user in &people {
        world.register(user, &cup).await.expect("in");
    }
    world.remove(&people[0], &cup).await.expect("removed");
    assert_eq!(world.state(&people[1], &cup).await, Confirmed);
}

#[tokio::test]
async fn rule_2_a_larger_capacity_promotes_in_the_order_of_the_waitlist() {
    let world = World::new().await;
    let people = world.people(5).await;
    let cup = world.competition(places(1)).await;
    for user in &people {
        world.register(user, &cup).await.expect("in");
    }
    let larger = world.capacity(&cup, 3).await.expect("larger");
    assert_eq!((larger.confirmed_count, larger.waitlisted_count), (3, 2));
    for (user, state) in people
        .iter()
        .zip([Confirmed, Confirmed, Confirmed, Waitlisted, Waitlisted])
    {
        assert_eq!(world.state(user, &cup).await, state);
    }
    let patch = CompetitionPatch {
        capacity: Some(None),
        ..CompetitionPatch::default()
    };
    let unlimited = world.update(&cup, patch).await.expect("no limit");
    assert_eq!(
        (unlimited.confirmed_count, unlimited.waitlisted_count),
        (5, 0)
    );
}

#[tokio::test]
async fn rule_2_a_larger_capacity_promotes_more_than_a_hundred_users_before_it_returns() {
    let world = World::new().await;
    let people = world.people(260).await;
    let cup = world.competition(places(1)).await;
    for answer in join_all(people.iter().map(|user| world.register(user, &cup))).await {
        answer.expect("in");
    }
    let larger = world.capacity(&cup, 251).await.expect("larger");
    assert_eq!((larger.confirmed_count, larger.waitlisted_count), (251, 9));
    assert_eq!(larger.revision, Revision::new(2 + 260 + 1 + 250));
    assert_eq!(world.counts(&cup).await, (251, 9));
}

#[tokio::test]
async fn rule_2_promotions_that_are_due_are_made_before_any_other_change() {
    let world = World::new().await;
    let people = world.people(8).await;
    // As after a crash between a change of the capacity and its promotions.
    let interrupted = async || {
        let cup = world.competition(places(1)).await;
        for user in &people[..7] {
            world.register(user, &cup).await.expect("in");
        }
        let meta = format!("c:{{{cup}}}:meta");
        let _: i64 = world.root(&["HSET", &meta, "capacity", "5"]).await;
        assert_eq!(world.counts(&cup).await, (1, 6));
        cup
    };

    let cup = interrupted().await;
    let newcomer = world.register(&people[7], &cup).await.expect("queued");
    assert_eq!(newcomer.waitlist_position, Some(3));
    assert_eq!(world.counts(&cup).await, (5, 3));

    let cup = interrupted().await;
    world.withdraw(&people[0], &cup).await.expect("withdrawn");
    assert_eq!(world.counts(&cup).await, (5, 1));

    let cup = interrupted().await;
    world.remove(&people[6], &cup).await.expect("removed");
    assert_eq!(world.counts(&cup).await, (5, 1));

    let cup = interrupted().await;
    let over = world
        .add(&people[7], &cup, OVER_CAPACITY)
        .await
        .expect("in");
    assert_eq!(over.registration.state, Confirmed);
    assert_eq!(world.counts(&cup).await, (6, 2));

    let cup = interrupted().await;
    let refused = world
        .capacity(&cup, 4)
        .await
        .expect_err("five have a claim");
    assert!(matches!(refused, Error::Rejected(_)), "{refused:?}");
    assert_eq!(world.counts(&cup).await, (5, 2));

    let cup = interrupted().await;
    let cancelled = world.cancel(&cup).await.expect("cancelled");
    assert_eq!(
        (cancelled.confirmed_count, cancelled.waitlisted_count),
        (5, 2)
    );
}

#[tokio::test]
async fn rule_2_an_erased_account_gives_its_place_to_the_waitlist() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let (ada, session) = world.sign_up("ada").await;
    let bob = world.person().await;
    world.register(&ada, &cup).await.expect("in");
    world.register(&bob, &cup).await.expect("queued");
    world.erase("ada", &ada, &session).await;
    assert_eq!(world.state(&bob, &cup).await, Confirmed);
    assert_eq!(world.counts(&cup).await, (1, 0));
}

#[tokio::test]
async fn rule_2_an_erased_account_gives_up_a_place_that_an_admin_added() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let (ada, session) = world.sign_up("ada").await;
    world
        .add(&ada, &cup, AddOptions::default())
        .await
        .expect("in");
    world.erase("ada", &ada, &session).await;
    assert_eq!(world.counts(&cup).await, (0, 0));
    let entry = world
        .admin
        .get_registration(&cup, &ada)
        .await
        .expect("the record is kept");
    assert_eq!((entry.registration.state, entry.user), (Withdrawn, None));
}

#[tokio::test]
async fn rule_2_a_withdrawal_from_the_waitlist_promotes_nobody() {
    let world = World::new().await;
    let people = world.people(3).await;
    let cup = world.competition(places(1)).await;
    for user in &people {
        world.register(user, &cup).await.expect("in");
    }
    world.withdraw(&people[1], &cup).await.expect("withdrawn");
    assert_eq!(world.counts(&cup).await, (1, 1));
    let waits = world
        .user
        .my_registration(&people[2], &cup)
        .await
        .expect("in");
    assert_eq!(waits.waitlist_position, Some(1));
}
