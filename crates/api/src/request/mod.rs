//! Requests as domain values: one file per topic.
//!
//! `TryFrom` checks a request once, when it enters the server. It returns either a request whose
//! fields are all valid, or `domain::InvalidFields` with every invalid field. A request with a
//! single field becomes that field's value: `CompetitionId::try_from(GetCompetitionRequest)`.
//!
//! In reading order:
//! - `parse`: the macro that generates `TryFrom` from a table of fields.
//! - `field`, `mask`, `page`: fields that several requests have.
//! - `account`, `profile`: sign-up, sign-in, a user's profile.
//! - `competition`, `lifecycle`, `catalogue`: writing, moving and listing competitions.
//! - `registration`, `entry`: registrations by users, and by organisers.
//! - `admin`: admins, users and logs.

#[macro_use]
mod parse;

mod account;
mod admin;
mod catalogue;
mod competition;
mod entry;
mod field;
mod lifecycle;
mod mask;
mod page;
mod profile;
mod registration;

pub use account::{ChangePassword, DeleteMe, SignIn};
pub use admin::{CreateAdmin, DisableAdmin, ListAuditEntries, ListUsers};
pub use catalogue::ListCompetitions;
pub use competition::{CreateCompetition, UpdateCompetition};
pub use entry::{
    AddRegistration, GetRegistration, ListRegistrations, RemoveRegistration, WhichUser,
};
pub use lifecycle::{CancelCompetition, DeleteCompetition, PublishCompetition};
pub use page::RequestedPage;
pub use profile::{SignUp, UpdateMe};
pub use registration::{Register, Withdraw};

/// The paths of the invalid fields, in the order in which they were found.
#[cfg(test)]
fn paths(error: &domain::InvalidFields) -> Vec<&str> {
    let fields = error.fields().iter();
    fields.map(|invalid| invalid.field.as_str()).collect()
}
