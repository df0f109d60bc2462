//! A member of the catalogue: the start in 15 digits, then the id, so that the order of the texts
//! is the order of the list. For example `001700000000000:spring-cup`.

use domain::{Competition, CompetitionId, Timestamp};

use crate::error::{Error, Result};

/// Prints the member of a competition with this start.
pub(crate) fn print(starts_at: Timestamp, id: &CompetitionId) -> String {
    format!("{:015}:{id}", starts_at.as_millis())
}

/// Prints the member of a competition.
#[must_use]
pub fn of(competition: &Competition) -> String {
    print(
        competition.details.schedule.moments().starts_at,
        &competition.id,
    )
}

/// A text that sorts before every member with this start, and behind every earlier one.
pub(crate) fn lower_bound(starts_at: Timestamp) -> String {
    format!("{:015}", starts_at.as_millis())
}

/// Parses the id in a member.
pub fn parse_id(member: &str) -> Result<CompetitionId> {
    let id = member.split_once(':').map(|(_, id)| id);
    id.and_then(|id| CompetitionId::parse(id).ok())
        .ok_or_else(|| Error::unreadable("a member of the catalogue"))
}
