//! The checker on made-up histories: it accepts the correct ones and none of the false ones.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod falsifications;
mod run;

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::falsifications::{COMPETITIONS_AND_LISTS, LOG, REFUSALS, REGISTRATIONS};
use crate::run::Run;

#[test]
fn a_correct_history_is_accepted() {
    assert_eq!(Run::new(5_000).check(), []);
}

#[test]
fn no_false_history_is_accepted() {
    let mut accepted = Vec::new();
    for (description, falsify) in [LOG, REGISTRATIONS, REFUSALS, COMPETITIONS_AND_LISTS].concat() {
        let mut run = Run::new(2_000);
        falsify(&mut run);
        if run.check().is_empty() {
            accepted.push(description);
        }
    }
    assert!(accepted.is_empty(), "accepted: {accepted:?}");
}

#[test]
fn a_hundred_thousand_correct_operations_are_accepted() {
    let run = Run::new(100_000);
    let start = thread_time();
    assert_eq!(run.check(), []);
    let time = thread_time().saturating_sub(start);
    let micros = time.as_micros() / run.operations.len() as u128;
    println!("{micros} us per operation; the goal is at most 20");
}

/// The CPU time of this thread, which does not depend on other processes.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    time.expect("a clock").into()
}
