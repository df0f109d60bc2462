//! Competitions.
//!
//! - [`change`]: made, changed, published, cancelled, deleted.
//! - [`read`]: one, or many by their ids.
//! - [`known`]: what was read a moment ago, and need only be confirmed.
//! - [`catalogue`]: all of them, in the order of their start.

mod catalogue;
mod change;
mod known;
mod read;

pub use catalogue::ListCompetitions;
pub(crate) use change::refused;
pub use change::{NewCompetition, UpdateError};
pub(crate) use known::Known;
pub(crate) use read::{Looks, competition_not_found, read_answer};
