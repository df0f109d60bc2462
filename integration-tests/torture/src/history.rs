//! What clients asked, when, and what they observed.

use std::collections::BTreeMap;
use std::time::Duration;

use api::v1;
use domain::{
    Action, Actor, AddOptions, CompetitionId, RegistrationState, RequestId, Revision, Timestamp,
    UserId,
};

/// Everything that all clients of one run observed, in any order.
#[derive(Debug, Clone)]
pub struct History {
    pub operations: Vec<Operation>,
}

/// One call of a client with all its attempts, which have the same request id.
#[derive(Debug, Clone)]
pub struct Operation {
    pub competition: CompetitionId,
    /// A read has an id too, which is not sent.
    pub request: RequestId,
    pub by: Actor,
    pub call: Call,
    /// The start of the first attempt of a change, or of the last attempt of a read. Monotonic,
    /// since the start of the run.
    pub started: Duration,
    /// The end of the last attempt.
    pub ended: Duration,
    /// `started` by the clock of the machine, which Redis uses too.
    pub started_at: Timestamp,
    /// `ended` by the same clock.
    pub ended_at: Timestamp,
    /// Whether an attempt of a change got no response. It may be decided after a later attempt.
    pub was_lost: bool,
    /// Whether this repeats a request that had its response before. Other changes came in between.
    pub is_repeated: bool,
    pub observed: Observation,
}

/// A call of a user or of an organiser.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    Register(UserId),
    /// A user asks what registering would return.
    Preview(UserId),
    Withdraw(UserId),
    /// A user deletes the account, which withdraws from every competition that is not over.
    Erase(UserId),
    /// An organiser adds a user.
    Add {
        user: UserId,
        /// If set, the request names the user by this address and not by id.
        email: Option<String>,
        options: AddOptions,
    },
    Remove(UserId),
    /// An organiser creates a competition with these details.
    Create(Box<v1::Competition>),
    Publish,
    Cancel,
    Delete,
    /// An organiser sets a field (its name in the contract and in the log) to a value as the log
    /// writes it. A field that already has the value leaves no log entry.
    Set(&'static str, String),
    /// Reads a user's registration, alone or in a list.
    ReadRegistration(UserId),
    /// Reads the competition, alone or in a list.
    ReadCompetition,
    /// An organiser lists the registrations in these states.
    List(Vec<RegistrationState>),
}

/// The result of a call as the client observed it.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    Registration(SeenRegistration),
    Competition(Box<v1::Competition>),
    /// A whole list of registrations, in the order in which it was returned.
    Registrations(Vec<SeenRegistration>),
    /// Success without content.
    Done,
    /// A complete list did not contain it.
    Absent,
    /// A rule rejected the call.
    Refused {
        /// `ErrorInfo.reason`.
        reason: String,
        revision: Option<Revision>,
        /// The other entries of `ErrorInfo.metadata`.
        facts: BTreeMap<String, String>,
    },
    /// Every attempt failed with `outcome` = `NOT_APPLIED`.
    NotApplied,
    /// No attempt got a response, and at least one may have been applied.
    Unknown,
    /// A response that is wrong whatever else happened.
    Invalid(String),
}

/// A registration as a client saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenRegistration {
    pub registration: v1::Registration,
    /// The admin who added the user, empty if the user registered; `None` in a response to a user,
    /// which lacks this.
    pub added_by: Option<String>,
}

impl SeenRegistration {
    /// The revision of the last change of the registration.
    #[must_use]
    pub fn revision(&self) -> Revision {
        revision(self.registration.revision)
    }

    #[must_use]
    pub fn is_in(&self, state: RegistrationState) -> bool {
        self.registration.state() == v1::RegistrationState::from(state)
    }

    /// The user; `None` if the id is invalid.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        UserId::parse(self.registration.user_id.as_str()).ok()
    }
}

fn revision(number: i64) -> Revision {
    Revision::new(number.try_into().unwrap_or_default())
}

impl Operation {
    /// The revision in the response, which existed when the response was sent.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        match &self.observed {
            // A preview has the revision that registering would make.
            Observation::Registration(seen) if matches!(self.call, Call::Preview(_)) => {
                Some(Revision::new(seen.revision().get().saturating_sub(1)))
            }
            Observation::Registration(seen) => Some(seen.revision()),
            Observation::Competition(competition) => Some(revision(competition.revision)),
            Observation::Registrations(all) => all.last().map(SeenRegistration::revision),
            Observation::Refused { revision, .. } => *revision,
            _ => None,
        }
    }

    #[must_use]
    pub fn is_by_organiser(&self) -> bool {
        matches!(self.by, Actor::Admin(_))
    }
}

impl Call {
    /// The action of the log entry that a successful call leaves; `None` for a read.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        Some(match self {
            Self::Register(_) => Action::Register,
            Self::Withdraw(_) | Self::Erase(_) => Action::Withdraw,
            Self::Add { .. } => Action::Add,
            Self::Remove(_) => Action::Remove,
            Self::Create(_) => Action::Create,
            Self::Publish => Action::Publish,
            Self::Cancel => Action::Cancel,
            Self::Delete => Action::Delete,
            Self::Set(..) => Action::Update,
            Self::Preview(_)
            | Self::ReadRegistration(_)
            | Self::ReadCompetition
            | Self::List(_) => return None,
        })
    }

    /// The user whom the call concerns.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::Register(user)
            | Self::Preview(user)
            | Self::Withdraw(user)
            | Self::Erase(user)
            | Self::Add { user, .. }
            | Self::Remove(user)
            | Self::ReadRegistration(user) => Some(user),
            _ => None,
        }
    }

    /// The reason that an organiser gives. It differs between requests, so that the checker notices
    /// if the service mixes them up.
    #[must_use]
    pub fn reason(&self, request: RequestId) -> String {
        match self {
            Self::Remove(_) | Self::Cancel => format!("because of {request}"),
            _ => String::new(),
        }
    }
}
