//! The checker on histories that were made up: it believes the true ones, and none of the false ones.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod lies;
mod run;

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::lies::LIES;
use crate::run::Run;

#[test]
fn a_true_history_is_believed() {
    assert_eq!(Run::new(5_000).check(), []);
}

#[test]
fn no_lie_is_believed() {
    let mut believed = Vec::new();
    for (lie, tell) in LIES {
        let mut run = Run::new(2_000);
        tell(&mut run);
        if run.check().is_empty() {
            believed.push(lie);
        }
    }
    assert!(believed.is_empty(), "believed: {believed:?}");
}

#[test]
fn a_hundred_thousand_true_operations_are_believed() {
    let run = Run::new(100_000);
    let began = thread_time();
    assert_eq!(run.check(), []);
    let micros = thread_time().saturating_sub(began).as_micros() / run.operations.len() as u128;
    println!("{micros} us an operation; at most 20 are wanted");
}

/// What this thread has worked: other work on the machine does not count.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    time.expect("a clock").into()
}
