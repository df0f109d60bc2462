//! Competitions.
//!
//! - [`read`]: one competition, or many by their ids.
//! - [`cache`]: competitions that were read within the last second.
//! - [`catalogue`]: the list of all competitions, in the order of their start.
//!
//! A change also updates the catalogue, which is in other slots: see `workflows`.

mod cache;
mod catalogue;
mod read;

use domain::{CompetitionDetails, CompetitionId, RequestId};

pub(crate) use cache::CompetitionCache;
pub(crate) use catalogue::Catalogue;
pub use catalogue::ListCompetitions;
pub(crate) use read::Competitions;

/// A competition to create.
#[derive(Debug, Clone)]
pub struct NewCompetition {
    /// The id that the organiser has chosen; `None` = the store makes one.
    pub id: Option<CompetitionId>,
    pub details: CompetitionDetails,
    pub request_id: RequestId,
}
