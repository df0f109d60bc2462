//! A registration: one person's entry in one competition.

use serde::{Deserialize, Serialize};

use crate::id::{CompetitionId, Revision, UserId};
use crate::text::Reason;
use crate::timestamp::Timestamp;

/// One person's entry in one competition, as it stands at its revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// In which competition.
    pub competition_id: CompetitionId,
    /// Whose.
    pub user_id: UserId,
    /// In, waiting, or gone.
    pub state: RegistrationState,
    /// The change that made it what it is.
    pub revision: Revision,
    /// The place in the queue of who waits: 1 is next.
    pub waitlist_position: Option<u32>,
    /// Why an organiser removed it; empty if none was given or it was not removed.
    pub removal_reason: Reason,
    /// When this person first registered for this competition.
    pub created_at: Timestamp,
    /// When it became what it is.
    pub updated_at: Timestamp,
}

/// The rules that an organiser may set aside when adding a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AddOptions {
    /// Adds the user before the window opens and after it has closed, too.
    pub ignore_window: bool,
    /// Confirms the user even if no place is free or other users wait.
    pub over_capacity: bool,
}

/// In, waiting, or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegistrationState {
    /// Has a place.
    Confirmed,
    /// Waits for one.
    Waitlisted,
    /// Left; may come back at the end of the queue.
    Withdrawn,
    /// Was removed by an organiser; comes back only by one.
    Removed,
}

impl RegistrationState {
    /// The word under which it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Waitlisted => "waitlisted",
            Self::Withdrawn => "withdrawn",
            Self::Removed => "removed",
        }
    }

    /// Whether the person has a place or waits for one.
    #[must_use]
    pub fn is_current(self) -> bool {
        matches!(self, Self::Confirmed | Self::Waitlisted)
    }
}
