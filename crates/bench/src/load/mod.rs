//! The generator.
//!
//! - [`latency`]: how long calls took, and how many failed.
//! - [`closed`]: each caller calls again when it is answered.
//! - [`paced`]: calls come whether or not the ones before are answered.

pub(crate) mod closed;
mod latency;
pub(crate) mod paced;

pub(crate) use latency::Tally;

/// What became of a call: the answer that was expected, or what came instead.
pub(crate) type Answer = std::result::Result<(), String>;
