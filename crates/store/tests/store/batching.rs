//! Batches of calls that arrive at the same time: what the calls share, and what they do not.

use std::time::Duration;

use store::Error;
use tokio::time::timeout;

use crate::world::{World, join_all, places};

#[tokio::test]
async fn concurrent_reads_of_one_competition_share_a_few_round_trips() {
    let world = World::new().await;
    let cup = world.competition(places(9)).await;
    world.user.redis().check().await.expect("connected");
    let before = world.redis.command_count("zcard").await;
    let reads = join_all((0..100).map(|_| world.user.get_public_competition(&cup))).await;
    for found in reads {
        assert_eq!(found.expect("a competition").id, cup);
    }
    // Four calls are sent at once, and the others in a batch behind each of them.
    let read = world.redis.command_count("zcard").await - before;
    assert!((1..=8).contains(&read), "{read}");
}

#[tokio::test]
async fn a_read_sees_every_change_that_was_made_before_it() {
    let world = World::new().await;
    let cup = world.competition(places(900)).await;
    let people = world.people(40).await;
    for (user, before) in people.iter().zip(0..) {
        let reads = join_all((0..10).map(|_| world.user.get_public_competition(&cup)));
        let registered = async {
            world.register(user, &cup).await.expect("in");
            join_all((0..10).map(|_| world.user.get_public_competition(&cup))).await
        };
        let (during, after) = tokio::join!(reads, registered);
        for found in during {
            let count = found.expect("a competition").confirmed_count;
            assert!((before..=before + 1).contains(&count), "{count}");
        }
        for found in after {
            let count = found.expect("a competition").confirmed_count;
            assert_eq!(count, before + 1);
        }
    }
}

#[tokio::test]
async fn a_damaged_competition_fails_no_read_of_another_one() {
    let world = World::new().await;
    let (good, bad) = (
        world.competition(places(9)).await,
        world.competition(places(9)).await,
    );
    let meta = format!("c:{{{bad}}}:meta");
    let _: u32 = world.root(&["HSET", &meta, "state", "upside down"]).await;
    let cups = [&good, &bad].into_iter().cycle().take(40);
    let reads = join_all(cups.map(|cup| world.user.get_public_competition(cup))).await;
    for (number, found) in reads.into_iter().enumerate() {
        if number % 2 == 0 {
            assert_eq!(found.expect("a competition").id, good);
        } else {
            assert!(matches!(found, Err(Error::Corrupt(_))), "{found:?}");
        }
    }
}

#[tokio::test]
async fn a_cancelled_call_delays_no_other_call() {
    let world = World::new().await;
    let cup = world.competition(places(9)).await;
    let people = world.people(9).await;
    // The first two calls are sent at once, and cancelled before Redis can reply. The others wait
    // behind them.
    let cancelled = people[..2]
        .iter()
        .map(|user| timeout(Duration::ZERO, world.register(user, &cup)));
    let others = people[2..].iter().map(|user| world.register(user, &cup));
    let (cancelled, others) = tokio::join!(join_all(cancelled), join_all(others));
    assert!(cancelled.iter().all(Result::is_err));
    for result in others {
        result.expect("in");
    }
}
