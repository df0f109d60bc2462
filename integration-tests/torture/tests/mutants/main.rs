//! Bugs that are planted in what the services send to Redis: the checker finds each of them within 10 s.
//! A checker that misses one is broken. A bug that can no longer be planted, because the text that it
//! replaces is gone, fails the test too.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod bugs;
mod plant;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::join;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, sleep};
use torture::checker::check;
use torture::clients::{Load, Plan};
use torture::power;
use torture::proxy::Weather;
use torture::rewrite::Rewrite;
use torture::world::World;

use crate::bugs::{Beside, MUTANTS, Mutant, in_scripts};
use crate::plant::{
    Counts, HeldBack, LATE, Outside, Planted, keep_asking, texts_that_are_gone, write_late,
};

/// How long a bug may stay unseen, from the first call on.
const LONGEST: Duration = Duration::from_secs(10);
/// How often a bug is looked for: what depends on a moment may stay unseen once.
const TRIES: u64 = 4;
/// A run has so many lost answers, of 150 ms each; more on a slow machine, until enough was asked.
const LEAST_ROUNDS: u32 = 9;
const MOST_ROUNDS: u32 = 40;
const LEAST_OPERATIONS: u64 = 1_200;

/// What is found wrong in a short run with lost answers, and how long it took.
async fn torture(mutant: &Mutant, seed: u64) -> (Vec<String>, Duration) {
    let planted = Planted::new(mutant.texts);
    let (index, held_back) = unbounded_channel();
    let held_back = HeldBack::new(held_back.into());
    let outside = Outside {
        beside: mutant.beside,
        counts: Counts::default(),
        index,
    };
    let counts = Arc::clone(&outside.counts);
    let scripts = Arc::clone(&planted);
    let rewrite = Rewrite::new(move |command| {
        scripts.plant(command);
        outside.plant(command);
    });
    let mut world = World::with(&[], Some(rewrite)).await;
    let asking = keep_asking(&world, counts);
    let mut writing = write_late(&world, Arc::clone(&held_back));
    let began = Instant::now();
    let load = Load::begin(&world, Plan::narrow(seed)).await;
    let mut round = 0;
    while round < LEAST_ROUNDS || (load.done() < LEAST_OPERATIONS && round < MOST_ROUNDS) {
        round += 1;
        sleep(Duration::from_millis(150)).await;
        for service in [&world.user, &world.admin] {
            service.to_redis.set(Weather::AnswersLost);
            sleep(Duration::from_millis(2)).await;
            service.to_redis.set(Weather::Fair);
        }
        if mutant.beside == Beside::IndexLate && round % 2 == 0 {
            // What the service has not written yet it never writes.
            writing.abort();
            world.user.kill().await;
            while held_back.lock().await.try_recv().is_ok() {}
            writing = write_late(&world, Arc::clone(&held_back));
            world.user.run(&[]).await;
        }
    }
    let (history, competitions) = load.end(&world).await;
    asking.abort();
    // What nobody was killed over is written in the end.
    sleep(2 * LATE).await;
    writing.abort();
    let problems = check(&history, &world.logs(&competitions).await);
    let mut found: Vec<_> = problems.iter().map(ToString::to_string).collect();
    found.extend(world.findings().await);
    let lasted = began.elapsed();
    assert!(
        planted.is_planted(),
        "not planted, for the script was never loaded: {}",
        mutant.bug
    );
    (found, lasted)
}

fn show(bug: &str, found: &[String], lasted: Duration) {
    let first = found.first().map_or("nothing", String::as_str);
    println!(
        "{lasted:>8.1?}  {bug}: {} problems, such as: {first:.200}",
        found.len()
    );
}

/// Looks for one bug after the other. Answers those that were not found in time.
async fn look_for_all(
    left: &Mutex<std::slice::Iter<'static, Mutant>>,
    longest: Duration,
) -> Vec<&'static str> {
    let mut missed = Vec::new();
    loop {
        let next = left.lock().expect("no panic").next();
        let Some(mutant) = next else { return missed };
        let mut is_found = false;
        for seed in 1..=TRIES {
            let (found, lasted) = torture(mutant, seed).await;
            show(mutant.bug, &found, lasted);
            is_found = !found.is_empty() && lasted <= longest;
            if is_found {
                break;
            }
        }
        if !is_found {
            missed.push(mutant.bug);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checker_finds_every_planted_bug_and_none_where_none_is() {
    let gone = texts_that_are_gone();
    assert!(
        gone.is_empty(),
        "these bugs cannot be planted, for the scripts do not hold these texts any more: {gone:#?}"
    );
    let (found, lasted) = torture(&in_scripts("nothing", &[]), 1).await;
    println!("{lasted:>8.1?}  nothing is planted");
    assert_eq!(found, Vec::<String>::new());
    // A machine that is slow without a bug is slower with one, since two are looked for at a time.
    let longest = LONGEST.max(4 * lasted);

    // Two at a time: one alone does not keep two cores busy.
    let left = Mutex::new(MUTANTS.iter());
    let (one, other) = join!(look_for_all(&left, longest), look_for_all(&left, longest));
    let mut missed = [one, other].concat();

    let everysec =
        "the disk is told once a second to keep what was acknowledged, and the power goes";
    if power::is_possible() {
        let began = Instant::now();
        let after = power::cut_while_registering(&[("appendfsync", "everysec")], 1).await;
        show(everysec, &after.found, began.elapsed());
        if after.found.is_empty() || began.elapsed() > longest {
            missed.push(everysec);
        }
    } else {
        println!("left out, for there is no strace: {everysec}");
    }
    assert!(
        missed.is_empty(),
        "not found within {longest:?}: {missed:?}"
    );
}
