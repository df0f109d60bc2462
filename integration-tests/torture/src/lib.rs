//! Tests whether Startlist keeps its promises under faults: generated clients make load, real
//! faults break Redis, services and networks, and a checker decides afterwards.
//!
//! In reading order:
//! - [`history`]: what clients asked, when, and what they observed.
//! - [`checker`]: decides whether the observations and the logs form one history that the rules
//!   allow.
//! - [`world`]: a Redis and both services as processes of their own, with a network link on every
//!   connection.
//! - [`client`]: a client that retries, and records what it observed.
//! - [`load`]: many clients at once.
//! - [`faults`]: breaks one part after the other, in an order that a seed repeats.
//! - [`power`]: power cuts, simulated from what Redis has synced to the disk.
//! - [`disk`]: a disk that is soon full.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "in a test and its fixtures a panic is the report"
)]

pub mod checker;
pub mod client;
pub mod disk;
pub mod faults;
pub mod history;
pub mod load;
pub mod power;
pub mod world;
