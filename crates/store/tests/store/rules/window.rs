//! Rule 6: the registration window, and what follows after it has closed.

use domain::RegistrationState::Confirmed;
use domain::{AddOptions, Rejection};

use super::{IGNORE_WINDOW, PAST_EVERY_LIMIT};
use crate::world::{DAY, World, places, rejection};

#[tokio::test]
async fn rule_6_the_window_is_from_opens_to_closes() {
    let world = World::new().await;
    let ada = world.person().await;
    let early = world.competition(places(1)).await;
    world.time_passes(&early, -2 * DAY).await;
    let refused = rejection(world.register(&ada, &early).await);
    assert!(
        matches!(refused, Rejection::RegistrationNotOpenYet { .. }),
        "{refused:?}"
    );
    let late = world.competition(places(1)).await;
    world.time_passes(&late, DAY).await;
    let refused = rejection(world.register(&ada, &late).await);
    assert!(
        matches!(refused, Rejection::RegistrationClosed { .. }),
        "{refused:?}"
    );
    for cup in [&early, &late] {
        let refused = world.add(&ada, cup, AddOptions::default()).await;
        assert!(
            refused.is_err(),
            "also for an organiser who does not set ignore_window"
        );
        world.add(&ada, cup, IGNORE_WINDOW).await.expect("added");
    }
}

#[tokio::test]
async fn rule_6_the_window_follows_the_clock_of_redis() {
    let world = World::new().await;
    let cup = world.competition(places(2)).await;
    let (ada, bob) = (world.person().await, world.person().await);
    let (seconds, micros): (i64, i64) = world.root(&["TIME"]).await;
    let soon = seconds * 1000 + micros / 1000 + 400;
    let meta = format!("c:{{{cup}}}:meta");
    let _: i64 = world
        .root(&["HSET", &meta, "registration_closes_at", &soon.to_string()])
        .await;
    let mut registered = 0;
    let closed = loop {
        match world
            .register(if registered == 0 { &ada } else { &bob }, &cup)
            .await
        {
            Ok(registration) => {
                assert!(registration.updated_at.as_millis() < soon);
                registered += 1;
                world
                    .withdraw(&registration.user_id, &cup)
                    .await
                    .expect("withdrawn");
            }
            Err(refused) => break rejection(Err::<(), _>(refused)),
        }
    };
    assert!(
        matches!(closed, Rejection::RegistrationClosed { closed_at } if closed_at.as_millis() == soon)
    );
    let (seconds, micros): (i64, i64) = world.root(&["TIME"]).await;
    assert!(
        seconds * 1000 + micros / 1000 >= soon,
        "not a moment before"
    );
    assert!(registered > 0, "it was open until then");
}

#[tokio::test]
async fn rule_6_after_closing_the_waitlist_is_promoted_until_the_competition_starts() {
    let world = World::new().await;
    let people = world.people(5).await;
    let cup = world.competition(places(2)).await;
    for user in &people {
        world.register(user, &cup).await.expect("in");
    }
    world.time_passes(&cup, 2 * DAY).await;
    world.withdraw(&people[0], &cup).await.expect("withdrawn");
    assert_eq!(
        world.state(&people[2], &cup).await,
        Confirmed,
        "by a withdrawal"
    );
    world.remove(&people[1], &cup).await.expect("removed");
    assert_eq!(
        world.state(&people[3], &cup).await,
        Confirmed,
        "by a removal"
    );
    world.capacity(&cup, 3).await.expect("larger");
    assert_eq!(
        world.state(&people[4], &cup).await,
        Confirmed,
        "by a larger capacity"
    );
}

#[tokio::test]
async fn rule_6_nobody_is_promoted_once_the_competition_has_started() {
    let world = World::new().await;
    let cup = world.competition(places(2)).await;
    let (ada, session) = world.sign_up("ada").await;
    let people = world.people(3).await;
    for user in [&ada, &people[0], &people[1], &people[2]] {
        world.register(user, &cup).await.expect("in");
    }
    world.time_passes(&cup, 7 * DAY + 1).await;
    world.remove(&people[0], &cup).await.expect("removed");
    assert_eq!(world.counts(&cup).await, (1, 2), "by a removal");
    world.erase("ada", &ada, &session).await;
    assert_eq!(world.counts(&cup).await, (0, 2), "by a deleted account");
    let larger = world.capacity(&cup, 9).await.expect("larger");
    assert_eq!(
        (larger.confirmed_count, larger.waitlisted_count),
        (0, 2),
        "by a larger capacity"
    );
}

#[tokio::test]
async fn rule_6_after_the_start_an_added_user_gets_a_free_place_or_is_refused() {
    let world = World::new().await;
    let people = world.people(5).await;
    let cup = world.competition(places(1)).await;
    for user in &people[..2] {
        world.register(user, &cup).await.expect("in");
    }
    world.time_passes(&cup, 7 * DAY + 1).await;
    let full = rejection(world.add(&people[2], &cup, IGNORE_WINDOW).await);
    let (capacity, confirmed_count, waitlisted_count) = (Some(1), 1, 1);
    let expected = Rejection::CompetitionFull {
        capacity,
        confirmed_count,
        waitlisted_count,
    };
    assert_eq!(full, expected, "nobody joins the waitlist");
    world.remove(&people[0], &cup).await.expect("removed");
    for (user, options) in [(&people[2], IGNORE_WINDOW), (&people[3], PAST_EVERY_LIMIT)] {
        let late = world.add(user, &cup, options).await.expect("added");
        assert_eq!(late.registration.state, Confirmed);
    }
    assert_eq!(world.counts(&cup).await, (2, 1));
}
