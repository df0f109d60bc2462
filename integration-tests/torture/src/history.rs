//! What clients asked, when, and what they were told.

use std::collections::BTreeMap;
use std::time::Duration;

use api::v1;
use domain::{
    Action, Actor, AddOptions, CompetitionId, RegistrationState, RequestId, Revision, Timestamp,
    UserId,
};

/// Everything that all clients of one run saw.
#[derive(Debug, Clone)]
pub struct History {
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
    /// Who asked.
    pub by: Actor,
    /// What was asked.
    pub call: Call,
    /// When the first try of a change, or the last one of a read, began: since the run began, by a
    /// monotonic clock.
    pub started: Duration,
    /// When the last try ended.
    pub ended: Duration,
    /// `started` by the clock of the machine, which is that of Redis too.
    pub asked_at: Timestamp,
    /// `ended` by the same clock.
    pub told_at: Timestamp,
    /// Whether a try got no answer, so that it may still have been done after a later one was answered.
    pub was_lost: bool,
    /// Whether the same was asked before under this id, and answered: other things came between.
    pub is_repeated: bool,
    /// What came out.
    pub answer: Answer,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// A user registers.
    Register(UserId),
    /// A user asks what registering would answer.
    Preview(UserId),
    /// A user withdraws.
    Withdraw(UserId),
    /// A user deletes the account, and so withdraws from all that is not over.
    Erase(UserId),
    /// An organiser adds a user with these options.
    Add(UserId, AddOptions),
    /// An organiser removes a user.
    Remove(UserId),
    /// An organiser creates, publishes, cancels or deletes the competition.
    Change(Action),
    /// An organiser sets a field, by its name in the contract and in the log, to a value, as the log writes
    /// it. If it is that already, no entry is left in the log.
    Set(&'static str, String),
    /// Somebody reads a user's registration, alone or in a list.
    ReadRegistration(UserId),
    /// Somebody reads the competition, alone or in a list.
    ReadCompetition,
    /// An organiser lists the registrations in these states.
    List(Vec<RegistrationState>),
}

/// What a client was told in the end.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A registration.
    Registration(Held),
    /// The competition at a revision.
    Competition(Box<v1::Competition>),
    /// All registrations that were asked for, in this order.
    Registrations(Vec<Held>),
    /// It is done, and there is nothing to say.
    Done,
    /// It is not in a list in which all of its kind are.
    Absent,
    /// A rule said no.
    Refused {
        /// Which one: `ErrorInfo.reason`.
        reason: String,
        /// At which revision.
        revision: Option<Revision>,
        /// What else `ErrorInfo.metadata` says.
        facts: BTreeMap<String, String>,
    },
    /// Every try was answered with `outcome` = `NOT_APPLIED`.
    NotApplied,
    /// At least one try left it open, and none was answered.
    Unknown,
    /// Something that cannot be right, whatever else happened.
    Nonsense(String),
}

/// A registration as it was told.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The message.
    pub registration: v1::Registration,
    /// Who added it, empty = the user; `None` = that is not told to users.
    pub added_by: Option<String>,
}

impl Held {
    /// At which revision it came to be so.
    #[must_use]
    pub fn revision(&self) -> Revision {
        revision(self.registration.revision)
    }
}

fn revision(number: i64) -> Revision {
    Revision::new(number.try_into().unwrap_or_default())
}

impl Operation {
    /// The revision that the answer names, which was there when it was given.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        match &self.answer {
            // A preview names the revision that there would be.
            Answer::Registration(held) if matches!(self.call, Call::Preview(_)) => {
                Some(Revision::new(held.revision().get().saturating_sub(1)))
            }
            Answer::Registration(held) => Some(held.revision()),
            Answer::Competition(told) => Some(revision(told.revision)),
            Answer::Registrations(all) => all.last().map(Held::revision),
            Answer::Refused { revision, .. } => *revision,
            _ => None,
        }
    }

    /// The reason that an organiser gives: another one for each request, so that none is taken for another.
    #[must_use]
    pub fn reason(&self) -> String {
        reason(&self.call, self.request)
    }
}

/// See [`Operation::reason`].
#[must_use]
pub fn reason(call: &Call, request: RequestId) -> String {
    match call {
        Call::Remove(_) | Call::Change(Action::Cancel) => format!("because of {request}"),
        _ => String::new(),
    }
}

impl Call {
    /// The action of the log entry that this leaves if it succeeds; `None` = it reads.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        match self {
            Self::Register(_) => Some(Action::Register),
            Self::Withdraw(_) | Self::Erase(_) => Some(Action::Withdraw),
            Self::Add(..) => Some(Action::Add),
            Self::Remove(_) => Some(Action::Remove),
            Self::Change(action) => Some(*action),
            Self::Set(..) => Some(Action::Update),
            Self::Preview(_)
            | Self::ReadRegistration(_)
            | Self::ReadCompetition
            | Self::List(_) => None,
        }
    }

    /// The user that it is about, if it is about one.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::Register(user)
            | Self::Preview(user)
            | Self::Withdraw(user)
            | Self::Erase(user)
            | Self::Add(user, _)
            | Self::Remove(user)
            | Self::ReadRegistration(user) => Some(user),
            Self::Change(_) | Self::Set(..) | Self::ReadCompetition | Self::List(_) => None,
        }
    }
}
