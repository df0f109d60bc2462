//! Repeated requests about registrations.

use domain::{AddOptions, Reason, Rejection, UserId};

use super::{repeat, reused};
use crate::world::{World, new_request, places, rejection};

fn reason(text: &str) -> Reason {
    Reason::parse(text).expect("a reason")
}

#[tokio::test]
async fn a_repeated_registration_returns_the_first_result_also_after_it_has_ended() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let (ada, bob) = (world.person().await, world.person().await);
    let request = new_request();
    repeat(&world, async || {
        world.user.register(&ada, &cup, request).await
    })
    .await;
    let request = new_request();
    let queued = repeat(&world, async || {
        world.user.register(&bob, &cup, request).await
    })
    .await;
    assert_eq!(queued.waitlist_position, Some(1));
    // Also after the waitlist has moved, and after the registration has ended.
    world.withdraw(&ada, &cup).await.expect("withdrawn");
    let again = world
        .user
        .register(&bob, &cup, request)
        .await
        .expect("the first result");
    assert_eq!(again, queued);
    reused(world.user.withdraw(&bob, &cup, request).await);
    world.withdraw(&bob, &cup).await.expect("withdrawn");
    let again = world
        .user
        .register(&bob, &cup, request)
        .await
        .expect("the first result");
    assert_eq!(again, queued);
    assert_eq!(world.counts(&cup).await, (0, 0));
}

#[tokio::test]
async fn a_preview_of_a_request_that_was_made_returns_its_result() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let ada = world.person().await;
    let request = new_request();
    let made = world.user.register(&ada, &cup, request).await.expect("in");
    let preview = world
        .user
        .preview_registration(&ada, &cup, request)
        .await
        .expect("the same");
    assert_eq!(preview, made);
}

#[tokio::test]
async fn a_repeated_withdrawal_promotes_nobody_again() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let (ada, bob) = (world.person().await, world.person().await);
    world.register(&ada, &cup).await.expect("in");
    world.register(&bob, &cup).await.expect("queued");
    let request = new_request();
    let gone = repeat(&world, async || {
        world.user.withdraw(&ada, &cup, request).await
    })
    .await;
    assert_eq!(world.counts(&cup).await, (1, 0), "one promotion, not two");
    reused(world.user.register(&ada, &cup, request).await);
    world.register(&ada, &cup).await.expect("back");
    let again = world
        .user
        .withdraw(&ada, &cup, request)
        .await
        .expect("the first result");
    assert_eq!(again, gone);
    assert_eq!(
        world.counts(&cup).await,
        (1, 1),
        "without a second withdrawal"
    );
}

#[tokio::test]
async fn a_repeated_addition_returns_the_first_result_also_after_the_user_came_back() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let ada = world.person().await;
    let add = async |options, request| {
        world
            .admin
            .add_registration(&world.organiser, &cup, &ada, options, request)
            .await
    };
    let request = new_request();
    let added = repeat(&world, async || add(AddOptions::default(), request).await).await;
    reused(
        add(
            AddOptions {
                ignore_window: true,
                over_capacity: false,
            },
            request,
        )
        .await,
    );
    reused(world.user.register(&ada, &cup, request).await);
    // Also after the user has registered again: the first result names the organiser.
    world.withdraw(&ada, &cup).await.expect("withdrawn");
    world.register(&ada, &cup).await.expect("back");
    let again = add(AddOptions::default(), request)
        .await
        .expect("the first result");
    assert_eq!(again, added);
}

#[tokio::test]
async fn a_repeated_removal_returns_the_first_result_also_after_the_user_was_added() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let people = world.people(3).await;
    for user in &people {
        world.register(user, &cup).await.expect("in");
    }
    let remove = async |text: &str, request| {
        let by = &world.organiser;
        world
            .admin
            .remove_registration(by, &cup, &people[0], &reason(text), request)
            .await
    };
    let request = new_request();
    let removed = repeat(&world, async || remove("no licence", request).await).await;
    assert_eq!(removed.registration.removal_reason, reason("no licence"));
    assert_eq!(world.counts(&cup).await, (1, 1), "one promotion, not two");
    reused(remove("another reason", request).await);
    // Also after an organiser has added the user, who had registered before.
    let back = world.add(&people[0], &cup, AddOptions::default()).await;
    assert!(back.expect("back").added_by.is_some());
    let again = remove("no licence", request).await;
    assert_eq!(again.expect("the first result"), removed);
}

#[tokio::test]
async fn only_the_last_eight_requests_of_a_registration_are_kept() {
    let world = World::new().await;
    let cup = world.competition(places(2)).await;
    let ada = world.person().await;
    let requests: Vec<_> = (0..10).map(|_| new_request()).collect();
    let mut answers = Vec::new();
    for (n, request) in requests.iter().enumerate() {
        let answer = if n % 2 == 0 {
            world.user.register(&ada, &cup, *request).await
        } else {
            world.user.withdraw(&ada, &cup, *request).await
        };
        answers.push(answer.expect("a change"));
    }
    let revision = world
        .user
        .get_public_competition(&cup)
        .await
        .expect("a competition")
        .revision;
    for n in 2..10 {
        let again = if n % 2 == 0 {
            world.user.register(&ada, &cup, requests[n]).await
        } else {
            world.user.withdraw(&ada, &cup, requests[n]).await
        };
        assert_eq!(again.expect("the first result"), answers[n]);
    }
    let found = world
        .user
        .get_public_competition(&cup)
        .await
        .expect("a competition");
    assert_eq!(found.revision, revision);
    // The ninth to last request is a new one.
    let anew = world.user.withdraw(&ada, &cup, requests[1]).await;
    assert_eq!(rejection(anew), Rejection::NotRegistered);
    let anew = world
        .user
        .register(&ada, &cup, requests[0])
        .await
        .expect("in");
    assert!(anew.revision > revision);
}

#[tokio::test]
async fn one_request_id_of_two_users_is_two_requests() {
    let world = World::new().await;
    let cup = world.competition(places(5)).await;
    let people: Vec<UserId> = world.people(2).await;
    let request = new_request();
    for user in &people {
        world.user.register(user, &cup, request).await.expect("in");
    }
    assert_eq!(world.counts(&cup).await, (2, 0));
}
