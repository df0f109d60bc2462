//! The twelve rules of the blueprint, each by every path that it names.

use domain::RegistrationState::{Confirmed, Removed, Waitlisted, Withdrawn};
use domain::{
    Action, Actor, Capacity, Change, CompetitionPatch, CompetitionState, Reason, Rejection,
    Revision, UserId, WaitlistCapacity,
};
use store::Error;
use store::competitions::UpdateError;
use store::registrations::AddOptions;

use crate::world::{
    DAY, Limits, World, first_page, join_all, new_request, places, rejected, rejection,
};

const OVER_CAPACITY: AddOptions = AddOptions {
    ignore_window: false,
    over_capacity: true,
};
const IGNORE_WINDOW: AddOptions = AddOptions {
    ignore_window: true,
    over_capacity: false,
};

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
async fn rule_1_who_finds_neither_a_place_nor_a_queue_is_told_how_full_it_is() {
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
    // Also for an organiser who does not say over_capacity.
    assert_eq!(
        rejection(world.add(&people[3], &cup, AddOptions::default()).await),
        full
    );
}

#[tokio::test]
async fn rule_1_only_an_admin_who_says_so_goes_over_the_capacity() {
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

    // While there are more than there are places, nobody follows.
    world.withdraw(&people[0], &cup).await.expect("withdrawn");
    assert_eq!(world.counts(&cup).await, (1, 2));
    world.withdraw(&people[3], &cup).await.expect("withdrawn");
    assert_eq!(world.counts(&cup).await, (1, 1));
    assert_eq!(world.state(&people[1], &cup).await, Confirmed);
}

#[tokio::test]
async fn rule_2_a_newcomer_never_passes_the_queue() {
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
async fn rule_2_a_withdrawal_promotes_the_first_in_the_queue_in_the_same_step() {
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
        (Confirmed, Revision(gone.revision.0 + 1))
    );
    let waits = world
        .user
        .my_registration(&people[2], &cup)
        .await
        .expect("in");
    assert_eq!(
        waits.waitlist_position,
        Some(1),
        "everybody behind moves up"
    );
}

#[tokio::test]
async fn rule_2_a_removal_promotes() {
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
async fn rule_2_a_larger_capacity_promotes_in_the_order_of_the_queue() {
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
async fn rule_2_a_larger_capacity_promotes_more_than_a_hundred_and_answers_how_it_ended() {
    let world = World::new().await;
    let people = world.people(260).await;
    let cup = world.competition(places(1)).await;
    for answer in join_all(people.iter().map(|user| world.register(user, &cup))).await {
        answer.expect("in");
    }
    let larger = world.capacity(&cup, 251).await.expect("larger");
    assert_eq!((larger.confirmed_count, larger.waitlisted_count), (251, 9));
    assert_eq!(larger.revision, Revision(2 + 260 + 1 + 250));
    assert_eq!(world.counts(&cup).await, (251, 9));
}

#[tokio::test]
async fn rule_2_promotions_that_were_cut_off_come_before_anything_else() {
    let world = World::new().await;
    let people = world.people(8).await;
    // A larger capacity whose promotions did not follow, as after a crash: the record says 5 places.
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
    assert!(
        matches!(refused, UpdateError::Store(Error::Rejected(_))),
        "{refused:?}"
    );
    assert_eq!(world.counts(&cup).await, (5, 2));

    let cup = interrupted().await;
    let cancelled = world.cancel(&cup).await.expect("cancelled");
    assert_eq!(
        (cancelled.confirmed_count, cancelled.waitlisted_count),
        (5, 2)
    );
}

#[tokio::test]
async fn rule_2_a_deleted_account_promotes() {
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
async fn rule_2_a_deleted_account_gives_up_what_an_admin_added() {
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
        .get_entry(&cup, &ada)
        .await
        .expect("the record stays");
    assert_eq!((entry.registration.state, entry.user), (Withdrawn, None));
}

#[tokio::test]
async fn rule_2_one_who_waits_and_leaves_promotes_nobody() {
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
        .expect("the same answer");
    assert_eq!(again, first);
    assert_eq!(world.counts(&cup).await, (1, 1));
}

#[tokio::test]
async fn rule_4_every_answer_names_the_revision_at_which_it_was_decided() {
    let world = World::new().await;
    let cup = world.competition(places(1).waitlist(0)).await;
    let (ada, bob) = (world.person().await, world.person().await);
    // 1 created, 2 published
    let ada_is_in = world.register(&ada, &cup).await.expect("in");
    assert_eq!(ada_is_in.revision, Revision(3));
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
    assert_eq!(gone.revision, Revision(4));
    let found = world
        .user
        .get_competition(&cup)
        .await
        .expect("a competition");
    assert_eq!(
        (found.revision, found.changed_at_revision),
        (Revision(4), Revision(2))
    );
}

#[tokio::test]
async fn rule_4_the_queue_is_in_the_order_of_revision() {
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
            "the next one was promoted, whoever it is"
        );
    }
    let (_, last) = in_order.last().expect("one is left");
    assert_eq!(world.state(last, &cup).await, Confirmed);
}

#[tokio::test]
async fn rule_5_one_can_withdraw_from_what_is_full_closed_waiting_or_cancelled() {
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
async fn rule_5_nobody_withdraws_once_the_competition_has_started() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let (ada, bob) = (world.person().await, world.person().await);
    world.register(&ada, &cup).await.expect("in");
    world.register(&bob, &cup).await.expect("queued");
    world.time_passes(&cup, 7 * DAY + 1).await;
    for user in [&ada, &bob] {
        let refused = rejection(world.withdraw(user, &cup).await);
        assert!(
            matches!(refused, Rejection::CompetitionStarted { .. }),
            "{refused:?}"
        );
    }
    let nobody = world.person().await;
    assert_eq!(
        rejection(world.withdraw(&nobody, &cup).await),
        Rejection::NotRegistered
    );
}

#[tokio::test]
async fn rule_5_who_withdrew_comes_back_at_the_end_of_the_queue() {
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
        "when the person first registered"
    );
    assert!(back.updated_at >= first.updated_at);
    assert_eq!(
        rejection(world.withdraw(&world.person().await, &cup).await),
        Rejection::NotRegistered
    );
}

#[tokio::test]
async fn rule_5_who_was_removed_comes_back_only_by_an_admin() {
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
        .expect("who withdrew may come back");
}

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
            "for an organiser too, who does not say ignore_window"
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
async fn rule_6_after_closing_the_queue_is_promoted_until_the_competition_starts() {
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
async fn rule_6_a_place_that_is_free_after_the_start_goes_to_no_newcomer_past_the_queue() {
    let world = World::new().await;
    let people = world.people(3).await;
    let cup = world.competition(places(1)).await;
    for user in &people[..2] {
        world.register(user, &cup).await.expect("in");
    }
    world.time_passes(&cup, 7 * DAY + 1).await;
    world.remove(&people[0], &cup).await.expect("removed");
    assert_eq!(world.counts(&cup).await, (0, 1));
    let late = world
        .add(&people[2], &cup, IGNORE_WINDOW)
        .await
        .expect("queued");
    assert_eq!(late.registration.waitlist_position, Some(2));
}

#[tokio::test]
async fn rule_7_a_capacity_below_the_confirmed_is_refused_with_both_numbers() {
    let world = World::new().await;
    let people = world.people(4).await;
    let cup = world.competition(places(3)).await;
    for user in &people {
        world.register(user, &cup).await.expect("in");
    }
    let Err(UpdateError::Store(Error::Rejected(refused))) = world.capacity(&cup, 2).await else {
        panic!("three are confirmed");
    };
    let capacity = Capacity::parse(2).expect("a capacity");
    let too_small = Rejection::CapacityBelowConfirmed {
        capacity,
        confirmed_count: 3,
    };
    assert_eq!(refused.rejection, too_small);
    assert_eq!(world.counts(&cup).await, (3, 1));

    // Over the capacity, everything else can be changed, and the number brought nearer.
    world
        .add(&world.person().await, &cup, OVER_CAPACITY)
        .await
        .expect("in");
    let patch = CompetitionPatch {
        waitlist_capacity: Some(WaitlistCapacity::parse(1).ok()),
        ..CompetitionPatch::default()
    };
    world
        .update(&cup, patch)
        .await
        .expect("the capacity is as it was");
    world.capacity(&cup, 4).await.expect("four are confirmed");
}

#[tokio::test]
async fn rule_7_a_shorter_waitlist_keeps_those_who_wait() {
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
    assert_eq!(world.counts(&cup).await, (1, 1), "they are still promoted");
}

#[tokio::test]
async fn rule_8_cancelling_keeps_the_records_and_stops_registration() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let people = world.people(3).await;
    world.register(&people[0], &cup).await.expect("in");
    world.register(&people[1], &cup).await.expect("queued");
    let cancelled = world.cancel(&cup).await.expect("cancelled");
    assert_eq!(cancelled.state, CompetitionState::Cancelled);
    assert_eq!(
        (cancelled.confirmed_count, cancelled.waitlisted_count),
        (1, 1)
    );
    let refused = rejection(world.register(&people[2], &cup).await);
    assert_eq!(refused, Rejection::CompetitionCancelled);
    let options = AddOptions {
        ignore_window: true,
        over_capacity: true,
    };
    let refused = rejection(world.add(&people[2], &cup, options).await);
    assert_eq!(refused, Rejection::CompetitionCancelled);
    assert_eq!(
        rejection(world.cancel(&cup).await),
        Rejection::CompetitionCancelled
    );
    let refused = world.capacity(&cup, 2).await.expect_err("it is over");
    assert!(
        matches!(refused, UpdateError::Store(Error::Rejected(_))),
        "{refused:?}"
    );
    world.withdraw(&people[0], &cup).await.expect("withdrawn");
    assert_eq!(
        world.counts(&cup).await,
        (0, 1),
        "nobody is promoted any more"
    );
    let seen = world
        .user
        .get_public_competition(&cup)
        .await
        .expect("everybody sees it");
    assert_eq!(seen.state, CompetitionState::Cancelled);
}

#[tokio::test]
async fn rule_8_a_draft_does_not_exist_for_users() {
    let world = World::new().await;
    let draft = world.draft(places(1)).await;
    let ada = world.person().await;
    let not_found = Rejection::CompetitionNotFound;
    assert_eq!(
        rejection(world.user.get_public_competition(&draft).await),
        not_found
    );
    assert_eq!(rejection(world.register(&ada, &draft).await), not_found);
    let preview = world
        .user
        .preview_registration(&ada, &draft, new_request())
        .await;
    assert_eq!(rejection(preview), not_found);
    assert_eq!(rejection(world.withdraw(&ada, &draft).await), not_found);
    assert_eq!(
        rejection(world.user.my_registration(&ada, &draft).await),
        not_found
    );
    let mine = world
        .user
        .my_registrations(&ada, &first_page(10))
        .await
        .expect("a list");
    assert_eq!(mine.items, []);
    let refused = rejection(world.add(&ada, &draft, AddOptions::default()).await);
    assert_eq!(
        refused,
        Rejection::CompetitionNotPublished,
        "admins do see it"
    );
    assert_eq!(
        rejection(world.cancel(&draft).await),
        Rejection::CompetitionNotPublished
    );
}

#[tokio::test]
async fn rule_8_only_a_draft_is_published_or_deleted() {
    let world = World::new().await;
    let (by, draft) = (&world.organiser, world.draft(places(1)).await);
    world
        .admin
        .delete_competition(by, &draft, new_request())
        .await
        .expect("deleted");
    let gone = world.admin.get_competition(&draft).await;
    assert_eq!(rejection(gone), Rejection::CompetitionNotFound);
    assert_eq!(world.log(&draft).await.len(), 2, "its log stays");

    let cup = world.competition(places(1)).await;
    let again = world
        .admin
        .publish_competition(by, &cup, new_request())
        .await;
    assert_eq!(rejection(again), Rejection::CompetitionNotDraft);
    let deleted = world
        .admin
        .delete_competition(by, &cup, new_request())
        .await;
    assert_eq!(rejection(deleted), Rejection::CompetitionNotDraft);
    world.cancel(&cup).await.expect("cancelled");
    let again = world
        .admin
        .publish_competition(by, &cup, new_request())
        .await;
    assert_eq!(rejection(again), Rejection::CompetitionCancelled);
}

#[tokio::test]
async fn rule_9_each_change_is_in_the_log_with_who_what_when_before_and_after() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let (ada, bob) = (world.person().await, world.person().await);
    let request = new_request();
    world.user.register(&ada, &cup, request).await.expect("in");
    world
        .add(&bob, &cup, AddOptions::default())
        .await
        .expect("queued");
    world.withdraw(&ada, &cup).await.expect("withdrawn");
    world.capacity(&cup, 2).await.expect("larger");
    world.remove(&bob, &cup).await.expect("removed");
    world.cancel(&cup).await.expect("cancelled");

    let log = world.log(&cup).await;
    let revisions: Vec<_> = log.iter().map(|entry| entry.revision.0).collect();
    assert_eq!(revisions, (1..=9).collect::<Vec<_>>());
    assert!(log.is_sorted_by_key(|entry| entry.at));

    let by = Actor::Admin(world.organiser.clone());
    let who: Vec<_> = log
        .iter()
        .map(|entry| (entry.actor.clone(), entry.action))
        .collect();
    let expected = [
        (by.clone(), Action::Create),
        (by.clone(), Action::Publish),
        (Actor::User(ada.clone()), Action::Register),
        (by.clone(), Action::Add),
        (Actor::User(ada.clone()), Action::Withdraw),
        (Actor::Rules, Action::Promote),
        (by.clone(), Action::Update),
        (by.clone(), Action::Remove),
        (by, Action::Cancel),
    ];
    assert_eq!(who, expected);

    let registration = |user: &UserId, before, after, waitlist_position| Change::Registration {
        user_id: user.clone(),
        before,
        after,
        waitlist_position,
    };
    assert_eq!(log[2].change, registration(&ada, None, Confirmed, None));
    assert_eq!(log[2].request_id, Some(request));
    assert_eq!(log[3].change, registration(&bob, None, Waitlisted, Some(1)));
    assert_eq!(
        log[4].change,
        registration(&ada, Some(Confirmed), Withdrawn, None)
    );
    assert_eq!(
        log[5].change,
        registration(&bob, Some(Waitlisted), Confirmed, None)
    );
    assert_eq!(log[5].request_id, None);
    let Change::Competition(fields) = &log[6].change else {
        panic!("an update changes the competition");
    };
    let fields: Vec<_> = fields
        .iter()
        .map(|change| {
            (
                change.field.as_str(),
                change.before.as_str(),
                change.after.as_str(),
            )
        })
        .collect();
    assert_eq!(fields, [("capacity", "1", "2")]);
    assert_eq!(
        log[7].reason,
        Reason::parse("no licence").expect("a reason")
    );
    assert_eq!(log[8].reason, Reason::parse("storm").expect("a reason"));
}

#[tokio::test]
async fn rule_9_the_log_holds_no_personal_data_but_ids() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let (ada, _) = world.sign_up("ada-lovelace").await;
    world.register(&ada, &cup).await.expect("in");
    let log = format!("c:{{{cup}}}:log");
    let entries: Vec<(String, Vec<String>)> = world.root(&["XRANGE", &log, "-", "+"]).await;
    let text = format!("{entries:?}");
    assert!(text.contains(ada.as_str()));
    assert!(
        !text.contains("ada-lovelace") && !text.contains("example.org"),
        "{text}"
    );
}

#[tokio::test]
async fn rule_10_every_count_is_the_size_of_a_set() {
    let world = World::new().await;
    let people = world.people(6).await;
    let cup = world.competition(places(2)).await;
    for user in &people {
        world.register(user, &cup).await.expect("in");
    }
    world.withdraw(&people[0], &cup).await.expect("withdrawn");
    world.remove(&people[5], &cup).await.expect("removed");
    let held: u32 = world
        .root(&["HLEN", &format!("c:{{{cup}}}:registrations")])
        .await;
    let waiting: u32 = world
        .root(&["ZCARD", &format!("c:{{{cup}}}:waitlist")])
        .await;
    assert_eq!(world.counts(&cup).await, (held - waiting, waiting));
    assert_eq!((held, waiting), (4, 2));
    let record: Vec<String> = world.root(&["HKEYS", &format!("c:{{{cup}}}:meta")]).await;
    assert!(
        !record.iter().any(|field| field.ends_with("_count")),
        "{record:?}"
    );
}

#[tokio::test]
async fn rule_11_a_refusal_is_decided_afresh() {
    let world = World::new().await;
    let cup = world.competition(places(1).waitlist(0)).await;
    let (ada, bob) = (world.person().await, world.person().await);
    world.register(&ada, &cup).await.expect("in");
    let request = new_request();
    let full = rejection(world.user.register(&bob, &cup, request).await);
    assert!(
        matches!(full, Rejection::CompetitionFull { .. }),
        "{full:?}"
    );
    world.withdraw(&ada, &cup).await.expect("withdrawn");
    let now = world
        .user
        .register(&bob, &cup, request)
        .await
        .expect("there is a place now");
    assert_eq!(now.state, Confirmed);
}

#[tokio::test]
async fn rule_11_an_unknown_competition_is_not_found() {
    let world = World::new().await;
    let ada = world.person().await;
    let nowhere = domain::CompetitionId::parse("nowhere").expect("an id");
    let not_found = Rejection::CompetitionNotFound;
    assert_eq!(rejection(world.register(&ada, &nowhere).await), not_found);
    assert_eq!(rejection(world.withdraw(&ada, &nowhere).await), not_found);
    assert_eq!(rejection(world.remove(&ada, &nowhere).await), not_found);
    assert_eq!(
        rejection(world.add(&ada, &nowhere, IGNORE_WINDOW).await),
        not_found
    );
    assert_eq!(rejection(world.cancel(&nowhere).await), not_found);
    assert_eq!(
        rejection(world.admin.get_entry(&nowhere, &ada).await),
        not_found
    );
    let page = first_page(10);
    assert_eq!(
        rejection(world.admin.audit_entries(&nowhere, &page).await),
        not_found
    );
    assert_eq!(
        rejection(
            world
                .admin
                .list_entries(&nowhere, &[Confirmed], &page)
                .await
        ),
        not_found
    );
}

#[tokio::test]
async fn rule_12_an_old_etag_is_refused_and_none_is_taken_as_it_comes() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let by = &world.organiser;
    let read = world
        .admin
        .get_competition(&cup)
        .await
        .expect("a competition");
    let venue = |name: &str| CompetitionPatch {
        venue: Some(domain::Venue::parse(name).expect("a venue")),
        ..CompetitionPatch::default()
    };
    let etag = read.etag();
    let update = async |name: &str, etag| {
        world
            .admin
            .update_competition(by, &cup, &venue(name), etag, new_request())
            .await
    };
    world
        .register(&world.person().await, &cup)
        .await
        .expect("in");
    let first = update("Park", Some(&etag))
        .await
        .expect("a registration changes no etag");
    assert_ne!(first.etag(), etag);
    let Err(UpdateError::Store(Error::Rejected(refused))) = update("Lake", Some(&etag)).await
    else {
        panic!("the etag is old");
    };
    assert_eq!(refused.rejection, Rejection::EtagMismatch);
    let found = world
        .admin
        .get_competition(&cup)
        .await
        .expect("a competition");
    assert_eq!(found.details.venue.as_str(), "Park");
    let last = update("Lake", None).await.expect("it names no etag");
    assert_eq!(last.details.venue.as_str(), "Lake");
}

#[tokio::test]
async fn rule_12_concurrent_updates_without_an_etag_are_all_made() {
    let world = World::new().await;
    let cup = world.competition(places(100)).await;
    let patch = |n: i64| match n % 2 {
        0 => CompetitionPatch {
            capacity: Some(Capacity::parse(200 + n).ok()),
            ..CompetitionPatch::default()
        },
        _ => CompetitionPatch {
            waitlist_capacity: Some(WaitlistCapacity::parse(n).ok()),
            ..CompetitionPatch::default()
        },
    };
    for answer in join_all((0..8).map(|n| world.update(&cup, patch(n)))).await {
        answer.expect("made");
    }
    assert_eq!(world.log(&cup).await.len(), 2 + 8);
}

#[tokio::test]
async fn a_preview_answers_as_the_real_call_would_and_changes_nothing() {
    let world = World::new().await;
    let people = world.people(4).await;
    let cup = world.competition(places(1).waitlist(1)).await;
    let mut seen = Vec::new();
    for user in &people[..3] {
        let before = world.everything().await;
        let preview = world
            .user
            .preview_registration(user, &cup, new_request())
            .await;
        assert!(world.everything().await == before, "nothing changes");
        let real = world.register(user, &cup).await;
        match (preview, real) {
            (Ok(preview), Ok(real)) => {
                let moments = domain::Registration {
                    created_at: real.created_at,
                    updated_at: real.updated_at,
                    ..preview
                };
                assert_eq!(moments, real);
                seen.push(real.state);
            }
            (preview, real) => assert_eq!(rejected(preview), rejected(real)),
        }
    }
    assert_eq!(seen, [Confirmed, Waitlisted]);
    let preview = world
        .user
        .preview_registration(&people[0], &cup, new_request())
        .await;
    assert_eq!(rejection(preview), Rejection::AlreadyRegistered);
    world.time_passes(&cup, 2 * DAY).await;
    let preview = world
        .user
        .preview_registration(&people[3], &cup, new_request())
        .await;
    let real = world.register(&people[3], &cup).await;
    assert_eq!(rejected(preview), rejected(real));
}

#[tokio::test]
async fn a_preview_makes_no_promotion_that_was_cut_off_but_counts_with_it() {
    let world = World::new().await;
    let people = world.people(5).await;
    let cup = world.competition(places(1)).await;
    for user in &people[..4] {
        world.register(user, &cup).await.expect("in");
    }
    let meta = format!("c:{{{cup}}}:meta");
    let _: i64 = world.root(&["HSET", &meta, "capacity", "3"]).await;
    let before = world.everything().await;
    let preview = world
        .user
        .preview_registration(&people[4], &cup, new_request())
        .await;
    assert!(world.everything().await == before, "nothing changes");
    let (preview, real) = (
        preview.expect("a preview"),
        world.register(&people[4], &cup).await,
    );
    let real = real.expect("queued");
    assert_eq!(
        (preview.waitlist_position, preview.revision),
        (Some(2), real.revision)
    );
    assert_eq!(real.waitlist_position, Some(2));
}
