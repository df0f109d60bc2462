//! A registration: the entry of one user in one competition.

use serde::{Deserialize, Serialize};

use crate::id::{CompetitionId, Revision, UserId};
use crate::text::Reason;
use crate::timestamp::Timestamp;

/// The entry of one user in one competition, as of its revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    pub competition_id: CompetitionId,
    pub user_id: UserId,
    pub state: RegistrationState,
    /// The change that gave the registration its current state.
    pub revision: Revision,
    /// The position in the waitlist: 1 is next. `None` unless waitlisted.
    pub waitlist_position: Option<u32>,
    /// The organiser's reason for a removal; empty if none was given or nothing was removed.
    pub removal_reason: Reason,
    /// The time of the user's first registration for this competition.
    pub created_at: Timestamp,
    /// The time of the last change of the state.
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

/// The state of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegistrationState {
    /// The user has a place.
    Confirmed,
    /// The user waits for a place.
    Waitlisted,
    /// The user withdrew and may register again, at the end of the waitlist.
    Withdrawn,
    /// An organiser removed the user. Only an organiser can add the user again.
    Removed,
}

impl RegistrationState {
    /// Returns the word that Redis stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Waitlisted => "waitlisted",
            Self::Withdrawn => "withdrawn",
            Self::Removed => "removed",
        }
    }

    /// Whether the user has a place or waits for one.
    #[must_use]
    pub fn is_current(self) -> bool {
        matches!(self, Self::Confirmed | Self::Waitlisted)
    }
}
