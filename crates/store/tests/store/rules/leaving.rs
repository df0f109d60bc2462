//! Rule 5: withdrawals, removals, and new registrations after them.

use domain::RegistrationState::{Removed, Withdrawn};
use domain::{AddOptions, Rejection};

use crate::world::{DAY, World, places, rejection};

#[tokio::test]
async fn rule_5_a_user_withdraws_from_a_full_a_closed_and_a_cancelled_competition() {
    let world = World::new().await;
    let people = world.people(4).await;
    let cup = world.competition(places(2).waitlist(2)).await;
    for user in &people {
        world.register(user, &cup).await.expect("in");
    }
    assert_eq!(
        world.withdraw(&people[0], &cup).await.expect("full").state,
        Withdrawn
    );
    assert_eq!(
        world
            .withdraw(&people[3], &cup)
            .await
            .expect("waiting")
            .state,
        Withdrawn
    );
    world.time_passes(&cup, 2 * DAY).await;
    assert_eq!(
        world
            .withdraw(&people[1], &cup)
            .await
            .expect("closed")
            .state,
        Withdrawn
    );
    world.cancel(&cup).await.expect("cancelled");
    assert_eq!(
        world
            .withdraw(&people[2], &cup)
            .await
            .expect("cancelled")
            .state,
        Withdrawn
    );
    assert_eq!(world.counts(&cup).await, (0, 0));
}

#[tokio::test]
async fn rule_5_no_confirmed_user_withdraws_once_the_competition_has_started() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let ada = world.person().await;
    world.register(&ada, &cup).await.expect("in");
    world.time_passes(&cup, 7 * DAY + 1).await;
    let refused = rejection(world.withdraw(&ada, &cup).await);
    assert!(
        matches!(refused, Rejection::CompetitionStarted { .. }),
        "{refused:?}"
    );
    let nobody = world.person().await;
    assert_eq!(
        rejection(world.withdraw(&nobody, &cup).await),
        Rejection::NotRegistered
    );
}

#[tokio::test]
async fn rule_5_a_waiting_user_leaves_a_started_an_ended_and_a_cancelled_competition() {
    let world = World::new().await;
    let (ben, session) = world.sign_up("ben").await;
    let people = world.people(4).await;
    let cup = world.competition(places(2)).await;
    for user in people.iter().chain([&ben]) {
        world.register(user, &cup).await.expect("in");
    }
    world.time_passes(&cup, 7 * DAY + 1).await;
    world.remove(&people[0], &cup).await.expect("removed");
    let left = world.withdraw(&people[2], &cup).await.expect("started");
    assert_eq!(left.state, Withdrawn);
    assert_eq!(world.counts(&cup).await, (1, 2), "nobody is promoted");
    world.time_passes(&cup, 30 * DAY).await;
    world.erase("ben", &ben, &session).await;
    assert_eq!(world.counts(&cup).await, (1, 1), "a deleted account leaves");
    world.cancel(&cup).await.expect("cancelled");
    world.withdraw(&people[3], &cup).await.expect("waiting");
    assert_eq!(world.counts(&cup).await, (1, 0));
}

#[tokio::test]
async fn rule_5_a_user_who_withdrew_registers_at_the_end_of_the_waitlist() {
    let world = World::new().await;
    let people = world.people(3).await;
    let cup = world.competition(places(1)).await;
    let first = world.register(&people[0], &cup).await.expect("in");
    for user in &people[1..] {
        world.register(user, &cup).await.expect("queued");
    }
    world.withdraw(&people[0], &cup).await.expect("withdrawn");
    let back = world.register(&people[0], &cup).await.expect("back");
    assert_eq!(back.waitlist_position, Some(2));
    assert_eq!(
        back.created_at, first.created_at,
        "the time of the first registration"
    );
    assert!(back.updated_at >= first.updated_at);
    assert_eq!(
        rejection(world.withdraw(&world.person().await, &cup).await),
        Rejection::NotRegistered
    );
}

#[tokio::test]
async fn rule_5_only_an_admin_can_add_a_removed_user() {
    let world = World::new().await;
    let cup = world.competition(places(2)).await;
    let ada = world.person().await;
    world.register(&ada, &cup).await.expect("in");
    let removed = world
        .remove(&ada, &cup)
        .await
        .expect("removed")
        .registration;
    assert_eq!(
        (removed.state, removed.removal_reason.as_str()),
        (Removed, "no licence")
    );
    let seen = world
        .user
        .my_registration(&ada, &cup)
        .await
        .expect("it stays");
    assert_eq!(seen, removed);
    assert_eq!(
        rejection(world.register(&ada, &cup).await),
        Rejection::RemovedByOrganiser
    );
    assert_eq!(
        rejection(world.withdraw(&ada, &cup).await),
        Rejection::NotRegistered
    );
    assert_eq!(
        rejection(world.remove(&ada, &cup).await),
        Rejection::NotRegistered
    );

    let added = world
        .add(&ada, &cup, AddOptions::default())
        .await
        .expect("added");
    assert_eq!(added.added_by.as_ref(), Some(&world.organiser));
    assert_eq!(added.registration.removal_reason.as_str(), "");
    world.withdraw(&ada, &cup).await.expect("withdrawn");
    world
        .register(&ada, &cup)
        .await
        .expect("a user who withdrew may register");
}
