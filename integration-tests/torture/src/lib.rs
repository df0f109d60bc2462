//! Whether Startlist keeps its promises whatever is killed: load from generated clients, real faults, and
//! a checker that decides afterwards.
//!
//! In reading order:
//! - [`history`]: what clients were told, and when.
//! - [`checker`]: whether that and the logs are one story that the rules allow.
//! - [`world`]: a Redis and both services as processes of their own, with a [`proxy`] on every way.
//! - [`ask`], [`clients`]: one try of one call; the load of many clients.
//! - [`faults`]: what breaks and when, by a seed.
//! - [`power`]: a power cut, proved by what the disk was told to keep.
//! - [`disk`]: a disk that is soon full.
//! - [`rewrite`]: bugs that are planted in what goes to Redis, to show that the checker finds them.
//! - [`random`]: numbers that a seed repeats.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test and its fixtures a panic is the report"
)]

pub mod ask;
pub mod checker;
pub mod clients;
pub mod disk;
pub mod faults;
pub mod history;
pub mod power;
pub mod proxy;
pub mod random;
pub mod rewrite;
pub mod world;
