//! The rules and the words of Startlist. No I/O, no clock, no randomness of its own.
//!
//! In reading order:
//! - [`id`]: the names of things: competitions, people, requests, revisions.
//! - [`invalid`]: what is wrong with a request, every field at once.
//! - [`text`], [`email`], [`country`], [`birth_date`], [`password`], [`timestamp`]: single values that
//!   cannot be wrong once they exist.
//! - [`competition`], [`registration`]: the two records that everything is about.
//! - [`person`]: users, admins and their roles.
//! - [`session`]: the token that stands for a signed-in person.
//! - [`audit`]: what the log of a competition says.
//! - [`rejection`]: every way in which a rule says no.
//! - [`model`]: the rules as a pure function, to check the log of a competition against.

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
pub use registration::{AddOptions, Registration, RegistrationState};
pub use rejection::{Rejected, Rejection};
pub use session::{Realm, SessionToken, TokenHash};
pub use text::{Club, Description, DisplayName, Reason, Title, Venue};
pub use timestamp::Timestamp;
