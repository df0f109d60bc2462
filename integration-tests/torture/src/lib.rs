//! Whether Startlist keeps its promises whatever is killed: load from generated clients, real faults, and
//! a checker that decides afterwards.
//!
//! In reading order:
//! - [`history`]: what clients were told, and when.
//! - [`checker`]: whether that and the logs are one story that the rules allow.
//! - [`random`]: numbers that a seed repeats.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test and its fixtures a panic is the report"
)]

pub mod checker;
pub mod history;
pub mod random;
