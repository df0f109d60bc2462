//! Every reason for which a rule refuses a call. A rejection is an expected result, not a fault.

use std::time::Duration;

use thiserror::Error;

use crate::competition::Capacity;
use crate::id::{CompetitionId, Revision, UserId};
use crate::timestamp::Timestamp;

/// The rule that refused a call. `Display` gives the sentence for the client.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Rejection {
    /// The waitlist is closed after the start.
    #[error("no place is free, and the waitlist is full or closed")]
    CompetitionFull {
        /// `None` = no limit.
        capacity: Option<u32>,
        confirmed_count: u32,
        waitlisted_count: u32,
    },
    #[error("registration has not opened yet")]
    RegistrationNotOpenYet { opens_at: Timestamp },
    #[error("registration has closed")]
    RegistrationClosed { closed_at: Timestamp },
    #[error("the competition is cancelled")]
    CompetitionCancelled,
    #[error("the competition has started")]
    CompetitionStarted { started_at: Timestamp },
    #[error("an organiser removed this registration; only an organiser can add it again")]
    RemovedByOrganiser,
    #[error("the capacity cannot be reduced below the number of confirmed registrations")]
    CapacityBelowConfirmed {
        /// The requested capacity.
        capacity: Capacity,
        confirmed_count: u32,
    },
    #[error("the competition is not published")]
    CompetitionNotPublished,
    #[error("the competition is not a draft")]
    CompetitionNotDraft,
    /// An installation must keep an owner, since only owners create admins.
    #[error("the last owner cannot be disabled")]
    LastOwner,
    #[error("this user is registered already")]
    AlreadyRegistered,
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
    #[error("a competition with this id exists already")]
    CompetitionIdTaken,
    /// Also returned for a draft if the caller is a user, who must not learn that it exists.
    #[error("there is no such competition")]
    CompetitionNotFound,
    #[error("there is no such user")]
    UserNotFound,
    #[error("there is no such admin")]
    AdminNotFound,
    #[error("there is no such registration")]
    NotRegistered,
    #[error("the record was changed since its etag was read")]
    EtagMismatch,
    #[error("the request_id was used for a different request")]
    RequestIdReused,
    /// One sentence for a missing, invalid or ended session, an unknown e-mail address and a wrong
    /// password, so that the reply does not show which accounts exist.
    #[error("a valid credential is needed")]
    Unauthenticated,
    #[error("the caller's role does not allow this")]
    PermissionDenied,
    #[error("too many new accounts from this network, try again later")]
    TooManySignUps {
        /// The client should wait this long before it retries.
        retry_after: Duration,
    },
    #[error("too many failed sign-ins, try again later")]
    TooManySignIns {
        /// The client should wait this long before it retries.
        retry_after: Duration,
    },
    #[error("this account has made too many changes, try again later")]
    TooManyChanges {
        /// The client should wait this long before it retries.
        retry_after: Duration,
    },
    #[error("the server is busy, try again later")]
    Overloaded {
        /// The client should wait this long before it retries.
        retry_after: Duration,
    },
}

impl Rejection {
    /// Returns the stable name for programs, in `UPPER_SNAKE_CASE`: `ErrorInfo.reason`.
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
            Self::TooManySignUps { .. } => "TOO_MANY_SIGN_UPS",
            Self::TooManySignIns { .. } => "TOO_MANY_SIGN_INS",
            Self::TooManyChanges { .. } => "TOO_MANY_CHANGES",
            Self::Overloaded { .. } => "OVERLOADED",
        }
    }

    /// Returns the facts behind the reason, such as the opening time: `ErrorInfo.metadata`.
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

/// A rejection and its metadata.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{rejection}")]
pub struct Rejected {
    pub rejection: Rejection,
    /// Names and values for programs: ids, the revision of the decision, and the facts.
    pub metadata: Vec<(&'static str, String)>,
}

impl Rejected {
    /// Adds the competition.
    #[must_use]
    pub fn in_competition(mut self, id: &CompetitionId) -> Self {
        self.metadata.push(("competition_id", id.to_string()));
        self
    }

    /// Adds the user.
    #[must_use]
    pub fn about_user(mut self, id: &UserId) -> Self {
        self.metadata.push(("user_id", id.to_string()));
        self
    }

    /// Adds the revision of the competition at which the call was refused.
    #[must_use]
    pub fn at(mut self, revision: Revision) -> Self {
        self.metadata.push(("revision", revision.to_string()));
        self
    }

    /// Adds one more fact.
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
