//! Rules 3 and 4: one registration per user, in the order of revision.

use domain::RegistrationState::Confirmed;
use domain::{Rejection, Revision};

use super::OVER_CAPACITY;
use crate::world::{World, join_all, new_request, places, rejected, rejection};

#[tokio::test]
async fn rule_3_registering_twice_is_refused_unless_it_is_the_same_request() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let (ada, bob) = (world.person().await, world.person().await);
    let request = new_request();
    let first = world.user.register(&ada, &cup, request).await.expect("in");
    world.register(&bob, &cup).await.expect("queued");
    assert_eq!(
        rejection(world.register(&ada, &cup).await),
        Rejection::AlreadyRegistered
    );
    assert_eq!(
        rejection(world.register(&bob, &cup).await),
        Rejection::AlreadyRegistered
    );
    let added = world.add(&ada, &cup, OVER_CAPACITY).await;
    assert_eq!(rejection(added), Rejection::AlreadyRegistered);
    let again = world
        .user
        .register(&ada, &cup, request)
        .await
        .expect("the first result");
    assert_eq!(again, first);
    assert_eq!(world.counts(&cup).await, (1, 1));
}

#[tokio::test]
async fn rule_4_every_reply_has_the_revision_of_its_decision() {
    let world = World::new().await;
    let cup = world.competition(places(1).waitlist(0)).await;
    let (ada, bob) = (world.person().await, world.person().await);
    // 1 created, 2 published
    let ada_is_in = world.register(&ada, &cup).await.expect("in");
    assert_eq!(ada_is_in.revision, Revision::new(3));
    let at = |rejected: domain::Rejected| {
        let revision = rejected
            .metadata
            .iter()
            .find(|(name, _)| *name == "revision");
        revision.map(|(_, revision)| revision.clone())
    };
    let full = rejected(world.register(&bob, &cup).await);
    assert_eq!(at(full).as_deref(), Some("3"), "a refusal too");
    let nothing = rejected(world.user.my_registration(&bob, &cup).await);
    assert_eq!(at(nothing).as_deref(), Some("3"), "a read too");
    let gone = world.withdraw(&ada, &cup).await.expect("withdrawn");
    assert_eq!(gone.revision, Revision::new(4));
    let found = world
        .user
        .get_public_competition(&cup)
        .await
        .expect("a competition");
    assert_eq!(
        (found.revision, found.changed_at_revision),
        (Revision::new(4), Revision::new(2))
    );
}

#[tokio::test]
async fn rule_4_the_waitlist_is_in_the_order_of_revision() {
    let world = World::new().await;
    let people = world.people(40).await;
    let cup = world.competition(places(1)).await;
    let answers = join_all(people.iter().map(|user| world.register(user, &cup))).await;
    let mut in_order: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.expect("in"))
        .map(|registration| (registration.revision, registration.user_id))
        .collect();
    in_order.sort();
    for (_, user) in &in_order[..39] {
        world.withdraw(user, &cup).await.expect("withdrawn");
        let waiting = world.counts(&cup).await.1;
        let left = in_order.len()
            - in_order
                .iter()
                .position(|(_, one)| one == user)
                .expect("in")
            - 2;
        assert_eq!(
            waiting as usize, left,
            "the user with the next revision was promoted"
        );
    }
    let (_, last) = in_order.last().expect("one is left");
    assert_eq!(world.state(last, &cup).await, Confirmed);
}
