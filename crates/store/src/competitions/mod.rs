//! Competitions.
//!
//! - [`change`]: made, changed, published, cancelled, deleted.
//! - [`read`]: one, or many by their ids.
//! - [`catalogue`]: all of them, in the order of their start.
//! - [`record`]: how one is stored.

mod catalogue;
mod change;
mod read;
mod record;

pub use catalogue::ListCompetitions;
pub(crate) use change::refused;
pub use change::{NewCompetition, UpdateError};
pub(crate) use read::read_answer;
pub(crate) use record::read_competition;
