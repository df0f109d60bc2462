//! What a request says, in words of the domain: one file per topic.
//!
//! Each request is parsed by `TryFrom`, once, at the door. What comes out cannot be wrong; what is
//! wrong comes back as `domain::InvalidFields`, every field at once. A request that says one thing
//! only becomes that thing: `CompetitionId::try_from(GetCompetitionRequest)`.
//!
//! In reading order:
//! - `field`, `mask`, `page`: what several requests have in common.
//! - `account`, `profile`: signing up and in, what a user says of themselves.
//! - `competition`, `lifecycle`, `catalogue`: writing, moving and finding competitions.
//! - `registration`, `entry`: registering for oneself, and for others.
//! - `admin`: who runs competitions, and what they look up.

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
pub use field::under;
pub use lifecycle::{CancelCompetition, DeleteCompetition, PublishCompetition};
pub use page::Page;
pub use profile::{SignUp, UpdateMe};
pub use registration::{Register, Withdraw};

/// The paths of the wrong fields, in the order in which they were found.
#[cfg(test)]
fn paths(error: &domain::InvalidFields) -> Vec<&str> {
    let fields = error.fields().iter();
    fields.map(|wrong| wrong.field.as_str()).collect()
}
