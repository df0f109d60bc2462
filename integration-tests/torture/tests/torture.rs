//! Load and faults, then the checker. `TORTURE_SEED` repeats a schedule; `TORTURE_SECONDS` makes
//! the run longer than its minimum.

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
use torture::faults::{faketime, schedule};
use torture::history::{History, Observation};
use torture::load::{Load, Plan};
use torture::world::World;

/// A run below these minimums is no evidence.
const MIN_OPERATIONS: u64 = 100_000;
const MIN_FAULTS: usize = 24;
/// The test fails on a machine that does not reach the minimums in this time.
const MAX_MINIMUM_TIME: Duration = Duration::from_secs(280);

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| {
        let number = text.parse();
        number.unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}"))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_no_acknowledged_change_is_lost_or_decided_twice() {
    let seed = setting("TORTURE_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let min_time = Duration::from_secs(setting("TORTURE_SECONDS").unwrap_or(0));
    println!("TORTURE_SEED={seed}");
    if faketime().is_none() {
        println!("no clock is moved, because libfaketime is missing");
    }
    let mut world = World::start().await;
    let load = Load::start(&world, Plan::heavy(seed)).await;
    let start = Instant::now();
    let mut faults = 0;
    let mut schedule = schedule(seed);
    while faults < MIN_FAULTS || load.completed() < MIN_OPERATIONS || start.elapsed() < min_time {
        assert!(
            start.elapsed() < MAX_MINIMUM_TIME.max(min_time),
            "too little load: {} operations and {faults} faults in {:?}",
            load.completed(),
            start.elapsed()
        );
        let event = schedule.next().expect("the schedule is endless");
        println!("{:>7.1} s  {event}", start.elapsed().as_secs_f64());
        event.run(&mut world).await;
        faults += 1;
    }
    let (completed, duration) = (load.completed(), start.elapsed());
    let (history, competitions) = load.finish(&world).await;
    let logs = world.logs(&competitions).await;
    let findings = world.findings().await;
    let checking = Instant::now();
    let problems = check(&history, &logs);

    let entries: usize = logs.values().map(Vec::len).sum();
    println!("{completed} operations, {entries} log entries, {faults} faults in {duration:?}");
    println!(
        "{} observations checked in {:?}: {:?}",
        history.operations.len(),
        checking.elapsed(),
        count_results(&history)
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

/// The number of operations by result.
fn count_results(history: &History) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for operation in &history.operations {
        let result = match &operation.observed {
            Observation::Refused { reason, .. } => reason.as_str(),
            Observation::Absent => "absent",
            Observation::NotApplied => "not applied",
            Observation::Unknown => "unknown",
            Observation::Invalid(_) => "invalid",
            _ if operation.is_repeated => "repeated",
            _ if operation.call.action().is_none() => "read",
            _ => "done",
        };
        *counts.entry(result.to_owned()).or_default() += 1;
    }
    counts
}
