//! Bugs planted in what the services send to Redis. The checker must find each of them within 10 s;
//! otherwise the checker is broken. A bug that can no longer be planted fails the test with its
//! name.
//!
//! - `mutants`: the list of bugs.
//! - `scripts`: plants a bug in the scripts; `command.lua` lets a bug change one kind of command.
//! - `interference`: bugs outside of the scripts.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod interference;
mod mutants;
mod scripts;

use std::slice::Iter;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::proxy::Network;
use tokio::join;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, sleep};
use torture::checker::check;
use torture::load::{Load, Plan};
use torture::power;
use torture::world::World;
use torture::world::rewrite::{Command, Rewrite, is_load};

use crate::interference::{Counts, DELAY, Delayed, Interceptor, keep_counting, write_late};
use crate::mutants::{Interference, MUTANTS, Mutant, NO_BUG};
use crate::scripts::{Planted, Sources};

/// The longest time in which a bug must be found, from the first call on.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Runs for each bug: one that depends on timing may stay hidden in a single run.
const MAX_RUNS: u64 = 4;
/// A run has this many rounds of lost replies, 150 ms each. A slow machine gets more rounds, until
/// there were enough operations.
const MIN_ROUNDS: u32 = 9;
const MAX_ROUNDS: u32 = 40;
const MIN_OPERATIONS: u64 = 1_200;

/// The result of a short run with lost replies.
struct Run {
    problems: Vec<String>,
    duration: Duration,
    /// The commands that loaded scripts, before any change.
    loaded: Vec<Command>,
}

/// What happens to commands on their way to Redis in one run.
struct Planting {
    planted: Arc<Planted>,
    counts: Counts,
    delayed: Delayed,
    loaded: Arc<Mutex<Vec<Command>>>,
}

impl Planting {
    fn new(mutant: &Mutant, sources: &Sources) -> (Self, Rewrite) {
        let (delayed_sender, delayed) = unbounded_channel();
        let planting = Self {
            planted: Arc::new(Planted::new(mutant, sources).expect("was tried before")),
            counts: Counts::default(),
            delayed: Delayed::new(delayed.into()),
            loaded: Arc::default(),
        };
        let interceptor = Interceptor {
            interference: mutant.interference,
            counts: Arc::clone(&planting.counts),
            delayed: delayed_sender,
        };
        let (planted, loaded) = (Arc::clone(&planting.planted), Arc::clone(&planting.loaded));
        let rewrite = Rewrite::new(move |command| {
            if is_load(command) {
                loaded.lock().expect("no panic").push(command.clone());
            }
            planted.plant(command);
            interceptor.intercept(command);
        });
        (planting, rewrite)
    }
}

async fn run(mutant: &Mutant, sources: &Sources, seed: u64) -> Run {
    let (planting, rewrite) = Planting::new(mutant, sources);
    let mut world = World::with(&[], Some(rewrite)).await;
    let counting = keep_counting(&world, Arc::clone(&planting.counts));
    let mut writing = write_late(&world, Arc::clone(&planting.delayed));
    let start = Instant::now();
    let load = Load::start(&world, Plan::narrow(seed)).await;
    let mut round = 0;
    while round < MIN_ROUNDS || (load.completed() < MIN_OPERATIONS && round < MAX_ROUNDS) {
        round += 1;
        sleep(Duration::from_millis(150)).await;
        lose_replies(&world).await;
        if mutant.interference == Some(Interference::LateIndexEntry) && round % 2 == 0 {
            // The killed service never writes its delayed entries.
            writing.abort();
            world.user.kill().await;
            while planting.delayed.lock().await.try_recv().is_ok() {}
            writing = write_late(&world, Arc::clone(&planting.delayed));
            world.user.start().await;
        }
    }
    let (history, competitions) = load.finish(&world).await;
    counting.abort();
    // Entries of a service that was not killed are written in the end.
    sleep(2 * DELAY).await;
    writing.abort();
    let problems = check(&history, &world.logs(&competitions).await);
    let mut problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    problems.extend(world.findings().await);
    let was_planted = planting.planted.was_planted();
    assert!(
        was_planted,
        "{}: not planted in any loaded script",
        mutant.bug
    );
    let loaded = std::mem::take(&mut *planting.loaded.lock().expect("no panic"));
    Run {
        problems,
        duration: start.elapsed(),
        loaded,
    }
}

/// Drops the replies of Redis to both services for 2 ms each.
async fn lose_replies(world: &World) {
    for service in [&world.user, &world.admin] {
        service.to_redis.proxy.set(Network::ResponsesLost);
        sleep(Duration::from_millis(2)).await;
        service.to_redis.proxy.set(Network::Normal);
    }
}

/// Returns the bugs whose changes make a script that Redis does not compile. Without this check,
/// any syntax error in the planted code would pass for a bug that the checker finds.
async fn not_compiled(loaded: &[Command], sources: &Sources) -> Vec<&'static str> {
    let world = World::start().await;
    let mut connection = world.root_connection();
    let mut broken = Vec::new();
    for mutant in MUTANTS {
        let planted = Planted::new(mutant, sources).expect("was tried before");
        for load in loaded {
            let mut command = load.clone();
            planted.plant(&mut command);
            if connection.send::<String>(&command).await.is_none() {
                broken.push(mutant.bug);
            }
        }
    }
    broken
}

/// Looks for one bug after the other. Returns those that were not found in time.
async fn find_all(
    queue: &Mutex<Iter<'static, Mutant>>,
    sources: &Sources,
    time_limit: Duration,
) -> Vec<&'static str> {
    let mut missed = Vec::new();
    loop {
        let next = queue.lock().expect("no panic").next();
        let Some(mutant) = next else { return missed };
        let mut is_found = false;
        for seed in 1..=MAX_RUNS {
            let run = run(mutant, sources, seed).await;
            show(mutant.bug, &run.problems, run.duration);
            is_found = !run.problems.is_empty() && run.duration <= time_limit;
            if is_found {
                break;
            }
        }
        if !is_found {
            missed.push(mutant.bug);
        }
    }
}

fn show(bug: &str, problems: &[String], duration: Duration) {
    let first = problems.first().map_or("none", String::as_str);
    println!(
        "{duration:>8.1?}  {bug}: {} problems, the first: {first:.200}",
        problems.len()
    );
}

#[test]
fn every_bug_can_be_planted() {
    let sources = Sources::read();
    let planted = MUTANTS.iter().map(|mutant| Planted::new(mutant, &sources));
    let errors: Vec<_> = planted.filter_map(Result::err).collect();
    assert!(
        errors.is_empty(),
        "these bugs cannot be planted: {errors:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checker_finds_every_planted_bug_and_nothing_without_one() {
    every_bug_can_be_planted();
    let sources = Sources::read();
    let healthy = run(&NO_BUG, &sources, 1).await;
    show(NO_BUG.bug, &healthy.problems, healthy.duration);
    assert_eq!(healthy.problems, Vec::<String>::new());
    let broken = not_compiled(&healthy.loaded, &sources).await;
    assert!(
        broken.is_empty(),
        "Redis cannot compile the scripts with {broken:?}"
    );

    // Two bugs are tested at a time, because one does not keep two cores busy.
    let time_limit = TIME_LIMIT.max(4 * healthy.duration);
    let queue = Mutex::new(MUTANTS.iter());
    let (one, other) = join!(
        find_all(&queue, &sources, time_limit),
        find_all(&queue, &sources, time_limit)
    );
    let mut missed = [one, other].concat();

    let everysec = "appendfsync everysec loses acknowledged writes in a power cut";
    if power::is_possible() {
        let start = Instant::now();
        let report = power::cut_under_load(&[("appendfsync", "everysec")], 1).await;
        show(everysec, &report.problems, start.elapsed());
        if report.problems.is_empty() || start.elapsed() > time_limit {
            missed.push(everysec);
        }
    } else {
        println!("left out because strace is missing: {everysec}");
    }
    assert!(
        missed.is_empty(),
        "not found within {time_limit:?}: {missed:?}"
    );
}
