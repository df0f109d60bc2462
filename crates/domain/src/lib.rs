//! The values and the rules of Startlist. No I/O, no clock; the only random value is
//! [`RequestId::random`].
//!
//! In reading order:
//! - [`id`]: identifiers of competitions, users, admins and requests; revisions and etags.
//! - [`invalid`]: the invalid fields of a request, collected so that all are reported at once.
//! - [`unicode`]: properties of characters, and equality of texts.
//! - [`text`], [`email`], [`country`], [`birth_date`], [`password`], [`timestamp`]: single values,
//!   valid by construction.
//! - [`competition`], [`registration`]: the two central records.
//! - [`person`]: users, admins and their roles.
//! - [`read_only`]: the fields of an update that it cannot change.
//! - [`session`]: the session token.
//! - [`audit`]: entries of a competition's log.
//! - [`rejection`]: every reason for which a rule refuses a call.
//! - [`model`]: the rules as a pure function, against which the log of a competition is checked.

#[macro_use]
mod checked_text;
mod unicode;

pub mod audit;
pub mod birth_date;
pub mod competition;
pub mod country;
pub mod email;
pub mod id;
pub mod invalid;
pub mod model;
pub mod password;
pub mod person;
pub mod read_only;
pub mod registration;
pub mod rejection;
pub mod session;
pub mod text;
pub mod timestamp;

pub use audit::{Action, Actor, AuditEntry, Change, FieldChange};
pub use birth_date::BirthDate;
pub use competition::{
    Capacity, Competition, CompetitionDetails, CompetitionPatch, CompetitionState, Schedule,
    WaitlistCapacity,
};
pub use country::CountryCode;
pub use email::Email;
pub use id::{AdminId, CompetitionId, Etag, RequestId, Revision, UserId};
pub use invalid::{InvalidField, InvalidFields};
pub use password::Password;
pub use person::{Admin, Profile, ProfilePatch, Role, User};
pub use read_only::{ReadOnlyCompetition, ReadOnlyUser};
pub use registration::{AddOptions, Registration, RegistrationState};
pub use rejection::{Rejected, Rejection};
pub use session::{Realm, SessionToken, TokenHash};
pub use text::{Club, Description, DisplayName, Reason, Title, Venue};
pub use timestamp::Timestamp;
pub use unicode::CodePoint;
