//! Those who come in the same moment go to Redis together: what they share, and what they do not.

use std::time::Duration;

use store::Error;
use tokio::time::timeout;

use crate::world::{World, join_all, places};

#[tokio::test]
async fn those_who_look_at_one_competition_in_the_same_moment_share_the_answer() {
    let world = World::new().await;
    let cup = world.competition(places(9)).await;
    world.user.redis().ping().await.expect("connected");
    let before = world.calls("zcard").await;
    let looks = join_all((0..100).map(|_| world.user.get_public_competition(&cup))).await;
    for found in looks {
        assert_eq!(found.expect("a competition").id, cup);
    }
    // Four go at once, and the rest together behind each of them.
    let asked = world.calls("zcard").await - before;
    assert!((1..=8).contains(&asked), "{asked}");
}

#[tokio::test]
async fn a_look_sees_what_was_there_when_it_came() {
    let world = World::new().await;
    let cup = world.competition(places(900)).await;
    let people = world.people(40).await;
    for (user, before) in people.iter().zip(0..) {
        let looks = join_all((0..10).map(|_| world.user.get_public_competition(&cup)));
        let entered = async {
            world.register(user, &cup).await.expect("in");
            join_all((0..10).map(|_| world.user.get_public_competition(&cup))).await
        };
        let (during, after) = tokio::join!(looks, entered);
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
async fn one_competition_that_cannot_be_read_hurts_nobody_who_looks_at_another() {
    let world = World::new().await;
    let (good, bad) = (
        world.competition(places(9)).await,
        world.competition(places(9)).await,
    );
    let meta = format!("c:{{{bad}}}:meta");
    world
        .root::<u32>(&["HSET", &meta, "state", "upside down"])
        .await;
    let asked = [&good, &bad].into_iter().cycle().take(40);
    let looks = join_all(asked.map(|cup| world.user.get_public_competition(cup))).await;
    for (number, found) in looks.into_iter().enumerate() {
        if number % 2 == 0 {
            assert_eq!(found.expect("a competition").id, good);
        } else {
            assert!(matches!(found, Err(Error::Corrupt(_))), "{found:?}");
        }
    }
}

#[tokio::test]
async fn who_gives_up_holds_nobody_up() {
    let world = World::new().await;
    let cup = world.competition(places(9)).await;
    let people = world.people(9).await;
    // The first two go at once, and are given up before Redis can answer; the others wait behind them.
    let given_up = people[..2]
        .iter()
        .map(|user| timeout(Duration::ZERO, world.register(user, &cup)));
    let others = people[2..].iter().map(|user| world.register(user, &cup));
    let (given_up, others) = tokio::join!(join_all(given_up), join_all(others));
    assert!(given_up.iter().all(Result::is_err));
    for answer in others {
        answer.expect("in");
    }
}
