//! What the log of a competition says: who did what, when, before and after. No personal data but ids.

use crate::id::{AdminId, RequestId, Revision, UserId};
use crate::registration::{AddOptions, RegistrationState};
use crate::text::Reason;
use crate::timestamp::Timestamp;

/// One change of a competition or of a registration in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The number of the change.
    pub revision: Revision,
    /// When it was made, by Redis's clock.
    pub at: Timestamp,
    /// Who made it.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// What it did.
    pub change: Change,
    /// The request that asked for it; a promotion has none.
    pub request_id: Option<RequestId>,
    /// The options of an addition; all false for every other action.
    pub options: AddOptions,
    /// The reason of a removal or a cancellation. Empty if none was given, and for other actions.
    pub reason: Reason,
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The person that the entry is about.
    User(UserId),
    /// An admin.
    Admin(AdminId),
    /// The rules: a place became free.
    Rules,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A competition was created.
    Create,
    /// A competition was changed.
    Update,
    /// A competition was published.
    Publish,
    /// A competition was called off.
    Cancel,
    /// A draft was deleted.
    Delete,
    /// A user registered.
    Register,
    /// An admin added a registration.
    Add,
    /// The first in the queue got a place.
    Promote,
    /// A user withdrew.
    Withdraw,
    /// An admin removed a registration.
    Remove,
}

impl Action {
    /// All of them.
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

    /// The word under which it is stored.
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

/// Before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Of a registration.
    Registration {
        /// Whose.
        user_id: UserId,
        /// What it was; `None` = there was none.
        before: Option<RegistrationState>,
        /// What it is.
        after: RegistrationState,
        /// The place in the queue at that moment: 1 is next.
        waitlist_position: Option<u32>,
    },
    /// Of a competition: the fields that changed, by the names of the contract.
    Competition(Vec<FieldChange>),
}

/// One field of a competition, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The name of the field in the contract.
    pub field: String,
    /// What it was; empty = nothing, or no limit.
    pub before: String,
    /// What it is.
    pub after: String,
}
