//! The load generator.
//!
//! - [`Caller`]: what makes the calls; [`CallStats`]: how long they took and how many failed.
//! - [`closed_loop`]: each caller makes its next call when it has the response to the last one.
//!   Shows the highest throughput.
//! - [`target_rate`]: calls start at a fixed rate, whether or not earlier ones have returned. Shows
//!   the latency under a given load.

pub(crate) mod closed_loop;
mod stats;
pub(crate) mod target_rate;

pub(crate) use self::stats::{CallResult, CallStats, Caller};
