//! Every way in which a rule says no. A rejection is an answer, not a fault.

use std::time::Duration;

use thiserror::Error;

use crate::competition::Capacity;
use crate::id::{CompetitionId, Revision, UserId};
use crate::timestamp::Timestamp;

/// A rule that said no. The sentence is for the client.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Rejection {
    /// Neither a place nor a place in the queue is free.
    #[error("the competition and its waitlist are full")]
    CompetitionFull {
        /// How many places there are; `None` = no limit.
        capacity: Option<u32>,
        /// How many are taken.
        confirmed_count: u32,
        /// How many wait.
        waitlisted_count: u32,
    },
    /// The window has not opened.
    #[error("registration has not opened yet")]
    RegistrationNotOpenYet {
        /// When it does.
        opens_at: Timestamp,
    },
    /// The window has closed.
    #[error("registration has closed")]
    RegistrationClosed {
        /// When it did.
        closed_at: Timestamp,
    },
    /// The competition was called off.
    #[error("the competition is cancelled")]
    CompetitionCancelled,
    /// Too late: it has begun.
    #[error("the competition has started")]
    CompetitionStarted {
        /// When it did.
        started_at: Timestamp,
    },
    /// An organiser removed this person.
    #[error("an organiser removed this registration; only an organiser can add it again")]
    RemovedByOrganiser,
    /// Fewer places than are taken.
    #[error("the capacity cannot be smaller than the number of confirmed registrations")]
    CapacityBelowConfirmed {
        /// What was asked for.
        capacity: Capacity,
        /// How many are taken.
        confirmed_count: u32,
    },
    /// The competition is not open to the public yet.
    #[error("the competition is not published")]
    CompetitionNotPublished,
    /// Only a draft can be published or deleted.
    #[error("the competition is not a draft")]
    CompetitionNotDraft,
    /// Somebody must be able to make admins.
    #[error("the last owner cannot be disabled")]
    LastOwner,
    /// One entry per person and competition.
    #[error("this user is registered already")]
    AlreadyRegistered,
    /// Another account has this address.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
    /// Another competition has this id.
    #[error("a competition with this id exists already")]
    CompetitionIdTaken,
    /// No such competition, or one that the caller may not see.
    #[error("there is no such competition")]
    CompetitionNotFound,
    /// No such user.
    #[error("there is no such user")]
    UserNotFound,
    /// No such admin.
    #[error("there is no such admin")]
    AdminNotFound,
    /// No such registration.
    #[error("there is no such registration")]
    NotRegistered,
    /// The record was changed since it was read.
    #[error("the record was changed since its etag was read")]
    EtagMismatch,
    /// The same request id came with another request.
    #[error("the request_id was used for a different request")]
    RequestIdReused,
    /// No credential, a bad one, an ended one; unknown e-mail or wrong password: one sentence for all.
    #[error("a valid credential is needed")]
    Unauthenticated,
    /// The caller's role is too small.
    #[error("the caller's role does not allow this")]
    PermissionDenied,
    /// Too many failed sign-ins.
    #[error("too many failed sign-ins, try again later")]
    TooManySignIns {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// More work than the server takes on.
    #[error("the server is busy, try again later")]
    Overloaded {
        /// When it is worth trying again.
        retry_after: Duration,
    },
}

impl Rejection {
    /// The reason, for programs: `UPPER_SNAKE`, stable.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::CompetitionFull { .. } => "COMPETITION_FULL",
            Self::RegistrationNotOpenYet { .. } => "REGISTRATION_NOT_OPEN_YET",
            Self::RegistrationClosed { .. } => "REGISTRATION_CLOSED",
            Self::CompetitionCancelled => "COMPETITION_CANCELLED",
            Self::CompetitionStarted { .. } => "COMPETITION_STARTED",
            Self::RemovedByOrganiser => "REMOVED_BY_ORGANISER",
            Self::CapacityBelowConfirmed { .. } => "CAPACITY_BELOW_CONFIRMED",
            Self::CompetitionNotPublished => "COMPETITION_NOT_PUBLISHED",
            Self::CompetitionNotDraft => "COMPETITION_NOT_DRAFT",
            Self::LastOwner => "LAST_OWNER",
            Self::AlreadyRegistered => "ALREADY_REGISTERED",
            Self::EmailTaken => "EMAIL_TAKEN",
            Self::CompetitionIdTaken => "COMPETITION_ID_TAKEN",
            Self::CompetitionNotFound => "COMPETITION_NOT_FOUND",
            Self::UserNotFound => "USER_NOT_FOUND",
            Self::AdminNotFound => "ADMIN_NOT_FOUND",
            Self::NotRegistered => "NOT_REGISTERED",
            Self::EtagMismatch => "ETAG_MISMATCH",
            Self::RequestIdReused => "REQUEST_ID_REUSED",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::TooManySignIns { .. } => "TOO_MANY_SIGN_INS",
            Self::Overloaded { .. } => "OVERLOADED",
        }
    }

    /// What a program may want to know beside the reason: when it opens, how full it is.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::CompetitionFull {
                capacity,
                confirmed_count,
                waitlisted_count,
            } => {
                let mut facts = vec![
                    ("confirmed_count", confirmed_count.to_string()),
                    ("waitlisted_count", waitlisted_count.to_string()),
                ];
                facts.extend(capacity.map(|places| ("capacity", places.to_string())));
                facts
            }
            Self::RegistrationNotOpenYet { opens_at } => {
                vec![("registration_opens_at", opens_at.to_string())]
            }
            Self::RegistrationClosed { closed_at } => {
                vec![("registration_closes_at", closed_at.to_string())]
            }
            Self::CompetitionStarted { started_at } => {
                vec![("starts_at", started_at.to_string())]
            }
            Self::CapacityBelowConfirmed {
                capacity,
                confirmed_count,
            } => vec![
                ("capacity", capacity.to_string()),
                ("confirmed_count", confirmed_count.to_string()),
            ],
            _ => Vec::new(),
        }
    }
}

/// A rejection with what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{rejection}")]
pub struct Rejected {
    /// Which rule said no.
    pub rejection: Rejection,
    /// Names and values for programs: ids, the revision at which it was decided, the facts.
    pub metadata: Vec<(&'static str, String)>,
}

impl Rejected {
    /// A rejection in this competition.
    #[must_use]
    pub fn in_competition(mut self, id: &CompetitionId) -> Self {
        self.metadata.push(("competition_id", id.to_string()));
        self
    }

    /// A rejection about this user.
    #[must_use]
    pub fn about_user(mut self, id: &UserId) -> Self {
        self.metadata.push(("user_id", id.to_string()));
        self
    }

    /// A rejection that was decided at this revision of the competition.
    #[must_use]
    pub fn at(mut self, revision: Revision) -> Self {
        self.metadata.push(("revision", revision.to_string()));
        self
    }

    /// A rejection with one more fact.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.metadata.push((name, value.to_string()));
        self
    }
}

impl From<Rejection> for Rejected {
    fn from(rejection: Rejection) -> Self {
        let metadata = rejection.facts();
        Self {
            rejection,
            metadata,
        }
    }
}
