//! What clients asked, when, and what they were told.

use std::time::Duration;

use domain::model::Door;
use domain::{Action, CompetitionId, RegistrationState, RequestId, Revision, Timestamp, UserId};

/// Everything that all clients of one run saw.
#[derive(Debug, Clone)]
pub struct History {
    /// When the run began, by the clock of the machine, which is also that of Redis.
    pub began_at: Timestamp,
    /// The calls, in any order.
    pub operations: Vec<Operation>,
}

/// One intention of a client, with all its tries: they have the same request id.
#[derive(Debug, Clone)]
pub struct Operation {
    /// About which competition.
    pub competition: CompetitionId,
    /// Under which id; a read has one that nobody else sees.
    pub request: RequestId,
    /// What was asked.
    pub call: Call,
    /// When the first try began, since the run began, by a monotonic clock.
    pub started: Duration,
    /// When the last try ended.
    pub ended: Duration,
    /// Whether a try got no answer, so that it may still have been done after a later one was answered.
    pub was_lost: bool,
    /// What came out.
    pub answer: Answer,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// A user registers.
    Register(UserId),
    /// A user withdraws.
    Withdraw(UserId),
    /// An organiser adds a user through this door.
    Add(UserId, Door),
    /// An organiser removes a user.
    Remove(UserId),
    /// An organiser creates or publishes the competition.
    Change(Action),
    /// An organiser sets the capacity. If it is that already, no entry is left in the log.
    SetCapacity(u32),
    /// Somebody reads a user's registration.
    ReadRegistration(UserId),
    /// Somebody reads the competition.
    ReadCompetition,
}

/// What a client was told in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A registration.
    Registration {
        /// What it is.
        state: RegistrationState,
        /// At which revision it came to be so.
        revision: Revision,
        /// The place in the queue.
        position: Option<u32>,
    },
    /// The competition at a revision.
    Competition {
        /// Which one.
        revision: Revision,
        /// How many had a place.
        confirmed: usize,
        /// How many waited.
        waitlisted: usize,
    },
    /// A rule said no.
    Refused {
        /// Which one: `ErrorInfo.reason`.
        reason: String,
        /// At which revision.
        revision: Option<Revision>,
    },
    /// Every try was answered with `outcome` = `NOT_APPLIED`.
    NotApplied,
    /// At least one try left it open, and none was answered.
    Unknown,
}

impl Call {
    /// The action of the log entry that this leaves if it succeeds; `None` = it reads.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        match self {
            Self::Register(_) => Some(Action::Register),
            Self::Withdraw(_) => Some(Action::Withdraw),
            Self::Add(..) => Some(Action::Add),
            Self::Remove(_) => Some(Action::Remove),
            Self::Change(action) => Some(*action),
            Self::SetCapacity(_) => Some(Action::Update),
            Self::ReadRegistration(_) | Self::ReadCompetition => None,
        }
    }

    /// The user that it is about, if it is about one.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::Register(user)
            | Self::Withdraw(user)
            | Self::Add(user, _)
            | Self::Remove(user)
            | Self::ReadRegistration(user) => Some(user),
            Self::Change(_) | Self::SetCapacity(_) | Self::ReadCompetition => None,
        }
    }
}

impl Answer {
    /// The revision that the answer names, which was there when it was given.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        match self {
            Self::Registration { revision, .. } | Self::Competition { revision, .. } => {
                Some(*revision)
            }
            Self::Refused { revision, .. } => *revision,
            Self::NotApplied | Self::Unknown => None,
        }
    }
}
