//! The power goes while clients register. Left out where there is no `strace`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::time::Duration;

use tokio::task::block_in_place;
use tokio::time::sleep;
use torture::checker::check;
use torture::clients::{Load, Plan};
use torture::power::{Recorder, is_possible};
use torture::world::World;

/// What is wrong after so many power cuts, and how many bytes they cost.
async fn cut_the_power(settings: &[(&str, &str)], cuts: u32) -> (Vec<String>, u64) {
    let mut world = World::with(settings, None).await;
    let load = Load::begin(&world, Plan::heavy(3)).await;
    let competitions = load.competitions.clone();
    let mut lost = 0;
    for _ in 0..cuts {
        // The recorder begins at the length that the file has now: it has to stand still.
        world.redis.freeze().expect("it stands still");
        let recorder = block_in_place(|| Recorder::attach(&world));
        world.redis.thaw().expect("it goes on");
        sleep(Duration::from_millis(1_500)).await;
        lost += block_in_place(|| recorder.cut(&mut world));
    }
    assert!(load.done() > 500, "{} operations are too few", load.done());
    let history = load.end().await;
    world.admin.is_well().await;
    let problems = check(&history, &world.logs(&competitions).await);
    let mut found: Vec<_> = problems.iter().map(ToString::to_string).collect();
    found.extend(world.findings().await);
    (found, lost)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_nothing_that_was_acknowledged() {
    if !is_possible() {
        println!("left out: there is no strace");
        return;
    }
    let (found, lost) = cut_the_power(&[], 5).await;
    println!("5 power cuts cost {lost} bytes of the file");
    assert_eq!(found, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_everysec_a_power_cut_loses_what_was_acknowledged_and_the_checker_finds_it() {
    if !is_possible() {
        println!("left out: there is no strace");
        return;
    }
    let (found, lost) = cut_the_power(&[("appendfsync", "everysec")], 2).await;
    println!("2 power cuts cost {lost} bytes: {} problems", found.len());
    assert!(!found.is_empty());
}
