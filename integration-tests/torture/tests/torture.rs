//! Load and faults, then the checker. `TORTURE_SEED` repeats a schedule; `TORTURE_SECONDS` makes the run
//! longer than its minimum.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::collections::BTreeMap;
use std::env;
use std::time::Duration;

use tokio::time::Instant;
use torture::checker::check;
use torture::clients::{Load, Plan};
use torture::faults::{faketime, schedule};
use torture::history::{Answer, History};
use torture::world::World;

/// Below this a run says nothing.
const LEAST_OPERATIONS: u64 = 100_000;
const LEAST_FAULTS: usize = 24;
/// A machine on which the minimum takes longer than this is too slow to torture anything.
const LONGEST_MINIMUM: Duration = Duration::from_secs(280);

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| {
        let number = text.parse();
        number.unwrap_or_else(|_| panic!("{name} is a number, not {text}"))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_nothing_acknowledged_is_lost_and_nothing_is_decided_twice() {
    let seed = setting("TORTURE_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let least = Duration::from_secs(setting("TORTURE_SECONDS").unwrap_or(0));
    println!("TORTURE_SEED={seed}");
    if faketime().is_none() {
        println!("no clock is moved: there is no libfaketime");
    }
    let mut world = World::start().await;
    let load = Load::begin(&world, Plan::heavy(seed)).await;
    let began = Instant::now();
    let mut faults = 0;
    let mut schedule = schedule(seed);
    while faults < LEAST_FAULTS || load.done() < LEAST_OPERATIONS || began.elapsed() < least {
        assert!(
            began.elapsed() < LONGEST_MINIMUM.max(least),
            "too little load: {} operations and {faults} faults in {:?}",
            load.done(),
            began.elapsed()
        );
        let event = schedule.next().expect("it has no end");
        println!("{:>7.1} s  {event}", began.elapsed().as_secs_f64());
        event.happen(&mut world).await;
        faults += 1;
    }
    let done = load.done();
    let lasted = began.elapsed();
    let (history, competitions) = load.end(&world).await;

    let checking = Instant::now();
    let logs = world.logs(&competitions).await;
    let findings = world.findings().await;
    let read = checking.elapsed();
    let checking = Instant::now();
    let problems = check(&history, &logs);
    let (observations, checked) = (history.operations.len(), checking.elapsed());
    let entries: usize = logs.values().map(Vec::len).sum();
    println!("{done} operations, {entries} log entries, {faults} faults in {lasted:?}");
    println!(
        "{observations} observations checked in {checked:?}, logs read and Redis examined in {read:?}: {:?}",
        answers(&history)
    );
    for problem in problems.iter().take(20) {
        println!("{problem}");
    }
    assert!(
        problems.is_empty(),
        "seed {seed}: {} problems",
        problems.len()
    );
    assert_eq!(findings, Vec::<String>::new(), "seed {seed}");
}

/// How often what was answered.
fn answers(history: &History) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for operation in &history.operations {
        let word = match &operation.answer {
            Answer::Refused { reason, .. } => reason.as_str(),
            Answer::Absent => "absent",
            Answer::NotApplied => "not applied",
            Answer::Unknown => "unknown",
            Answer::Nonsense(_) => "nonsense",
            _ if operation.is_repeated => "repeated",
            _ if operation.call.action().is_none() => "read",
            _ => "done",
        };
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    counts
}
