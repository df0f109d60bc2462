//! Rules 1 and 7: the capacity is exceeded only by an admin who sets `over_capacity`.

use domain::RegistrationState::{Confirmed, Waitlisted};
use domain::{AddOptions, Capacity, CompetitionPatch, Rejection, WaitlistCapacity};
use store::Error;

use super::OVER_CAPACITY;
use crate::world::{Limits, World, places, rejection};

#[tokio::test]
async fn rule_1_a_full_competition_puts_the_next_user_on_the_waitlist() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let (ada, bob) = (world.person().await, world.person().await);
    let first = world.register(&ada, &cup).await.expect("a place");
    assert_eq!((first.state, first.waitlist_position), (Confirmed, None));
    let second = world
        .register(&bob, &cup)
        .await
        .expect("a place in the queue");
    assert_eq!(
        (second.state, second.waitlist_position),
        (Waitlisted, Some(1))
    );
    assert_eq!(world.counts(&cup).await, (1, 1));
}

#[tokio::test]
async fn rule_1_without_a_capacity_everybody_is_confirmed() {
    let world = World::new().await;
    let cup = world.competition(Limits::default()).await;
    for user in world.people(12).await {
        assert_eq!(
            world.register(&user, &cup).await.expect("a place").state,
            Confirmed
        );
    }
    assert_eq!(world.counts(&cup).await, (12, 0));
}

#[tokio::test]
async fn rule_1_a_registration_with_a_full_waitlist_is_refused_with_the_counts() {
    let world = World::new().await;
    let people = world.people(4).await;
    let cup = world.competition(places(1).waitlist(0)).await;
    world.register(&people[0], &cup).await.expect("a place");
    let full = rejection(world.register(&people[1], &cup).await);
    let (capacity, confirmed_count, waitlisted_count) = (Some(1), 1, 0);
    let expected = Rejection::CompetitionFull {
        capacity,
        confirmed_count,
        waitlisted_count,
    };
    assert_eq!(full, expected);

    let cup = world.competition(places(1).waitlist(1)).await;
    world.register(&people[0], &cup).await.expect("a place");
    world
        .register(&people[1], &cup)
        .await
        .expect("a place in the queue");
    let full = rejection(world.register(&people[2], &cup).await);
    let (capacity, confirmed_count, waitlisted_count) = (Some(1), 1, 1);
    let expected = Rejection::CompetitionFull {
        capacity,
        confirmed_count,
        waitlisted_count,
    };
    assert_eq!(full, expected);
    // Also for an organiser who does not set over_capacity.
    assert_eq!(
        rejection(world.add(&people[3], &cup, AddOptions::default()).await),
        full
    );
}

#[tokio::test]
async fn rule_1_only_an_admin_who_sets_over_capacity_exceeds_the_capacity() {
    let world = World::new().await;
    let people = world.people(4).await;
    let cup = world.competition(places(1)).await;
    world.register(&people[0], &cup).await.expect("a place");
    world
        .register(&people[1], &cup)
        .await
        .expect("a place in the queue");
    let queued = world
        .add(&people[2], &cup, AddOptions::default())
        .await
        .expect("queued");
    assert_eq!(queued.registration.waitlist_position, Some(2));
    let over = world
        .add(&people[3], &cup, OVER_CAPACITY)
        .await
        .expect("a place");
    assert_eq!(over.registration.state, Confirmed);
    assert_eq!(world.counts(&cup).await, (2, 2));

    // While the capacity is exceeded, nobody is promoted.
    world.withdraw(&people[0], &cup).await.expect("withdrawn");
    assert_eq!(world.counts(&cup).await, (1, 2));
    world.withdraw(&people[3], &cup).await.expect("withdrawn");
    assert_eq!(world.counts(&cup).await, (1, 1));
    assert_eq!(world.state(&people[1], &cup).await, Confirmed);
}

#[tokio::test]
async fn rule_7_a_capacity_below_the_confirmed_is_refused_with_both_numbers() {
    let world = World::new().await;
    let people = world.people(4).await;
    let cup = world.competition(places(3)).await;
    for user in &people {
        world.register(user, &cup).await.expect("in");
    }
    let Err(Error::Rejected(refused)) = world.capacity(&cup, 2).await else {
        panic!("three are confirmed");
    };
    let capacity = Capacity::parse(2).expect("a capacity");
    let too_small = Rejection::CapacityBelowConfirmed {
        capacity,
        confirmed_count: 3,
    };
    assert_eq!(refused.rejection, too_small);
    assert_eq!(world.counts(&cup).await, (3, 1));
}

#[tokio::test]
async fn rule_7_a_capacity_that_is_exceeded_can_be_kept_and_raised_but_not_lowered() {
    let world = World::new().await;
    let cup = world.competition(places(2)).await;
    for user in world.people(5).await {
        world.add(&user, &cup, OVER_CAPACITY).await.expect("in");
    }
    let waiting = world.person().await;
    world.register(&waiting, &cup).await.expect("queued");
    let unchanged = CompetitionPatch {
        capacity: Some(Capacity::parse(2).ok()),
        waitlist_capacity: Some(WaitlistCapacity::parse(1).ok()),
        ..CompetitionPatch::default()
    };
    world.update(&cup, unchanged).await.expect("unchanged");
    world.capacity(&cup, 4).await.expect("larger than before");
    assert_eq!(world.counts(&cup).await, (5, 1), "nobody is promoted");
    let smaller = rejection(world.capacity(&cup, 3).await);
    assert!(
        matches!(smaller, Rejection::CapacityBelowConfirmed { .. }),
        "{smaller:?}"
    );
    world.capacity(&cup, 6).await.expect("larger");
    assert_eq!(world.counts(&cup).await, (6, 0));
    let unlimited = CompetitionPatch {
        capacity: Some(None),
        ..CompetitionPatch::default()
    };
    world.update(&cup, unlimited).await.expect("no limit");
    let limited = rejection(world.capacity(&cup, 5).await);
    assert!(
        matches!(limited, Rejection::CapacityBelowConfirmed { .. }),
        "{limited:?}"
    );
    world.capacity(&cup, 6).await.expect("six are confirmed");
}

#[tokio::test]
async fn rule_7_a_smaller_waitlist_keeps_the_waitlisted_users() {
    let world = World::new().await;
    let people = world.people(4).await;
    let cup = world.competition(places(1)).await;
    for user in &people[..3] {
        world.register(user, &cup).await.expect("in");
    }
    let patch = CompetitionPatch {
        waitlist_capacity: Some(WaitlistCapacity::parse(0).ok()),
        ..CompetitionPatch::default()
    };
    world.update(&cup, patch).await.expect("shorter");
    assert_eq!(world.counts(&cup).await, (1, 2));
    let refused = rejection(world.register(&people[3], &cup).await);
    assert!(
        matches!(refused, Rejection::CompetitionFull { .. }),
        "{refused:?}"
    );
    world.withdraw(&people[0], &cup).await.expect("withdrawn");
    assert_eq!(
        world.counts(&cup).await,
        (1, 1),
        "waitlisted users are still promoted"
    );
}
