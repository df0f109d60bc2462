//! The log of a competition: who changed what, when, before and after.
//!
//! The log is kept for good, so it holds no personal data but ids.

use crate::id::{AdminId, RequestId, Revision, UserId};
use crate::registration::{AddOptions, RegistrationState};
use crate::text::Reason;
use crate::timestamp::Timestamp;

/// One change of a competition or of a registration in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub revision: Revision,
    /// The time of the change, by the clock of Redis.
    pub at: Timestamp,
    pub actor: Actor,
    pub action: Action,
    pub change: Change,
    /// The request that made the change; `None` for a promotion.
    pub request_id: Option<RequestId>,
    /// The options of an addition; all false for every other action.
    pub options: AddOptions,
    /// The reason of a removal or a cancellation. Empty if none was given, and for other actions.
    pub reason: Reason,
}

/// The author of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The user whose registration was changed.
    User(UserId),
    Admin(AdminId),
    /// Nobody: a place had become free and went to the first user of the waitlist.
    Rules,
}

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A competition was created.
    Create,
    /// A competition was changed.
    Update,
    /// A competition was published.
    Publish,
    /// A competition was cancelled.
    Cancel,
    /// A draft was deleted.
    Delete,
    /// A user registered.
    Register,
    /// An admin added a registration.
    Add,
    /// The first user of the waitlist got a place.
    Promote,
    /// A user withdrew.
    Withdraw,
    /// An admin removed a registration.
    Remove,
}

impl Action {
    pub const ALL: [Self; 10] = [
        Self::Create,
        Self::Update,
        Self::Publish,
        Self::Cancel,
        Self::Delete,
        Self::Register,
        Self::Add,
        Self::Promote,
        Self::Withdraw,
        Self::Remove,
    ];

    /// Returns the word that Redis stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Publish => "publish",
            Self::Cancel => "cancel",
            Self::Delete => "delete",
            Self::Register => "register",
            Self::Add => "add",
            Self::Promote => "promote",
            Self::Withdraw => "withdraw",
            Self::Remove => "remove",
        }
    }
}

/// The state before and after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Registration {
        user_id: UserId,
        /// `None` = there was no registration.
        before: Option<RegistrationState>,
        after: RegistrationState,
        /// The position in the waitlist right after the change: 1 is next.
        waitlist_position: Option<u32>,
    },
    /// The changed fields of the competition.
    Competition(Vec<FieldChange>),
}

/// One field of a competition, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The name of the field in the contract.
    pub field: String,
    /// The old value as it is stored, a time in milliseconds; empty = none, or no limit.
    pub before: String,
    /// The new value, in the same form.
    pub after: String,
}
