//! Registrations: who is in, who waits.
//!
//! - [`enter`]: how one gets in.
//! - [`rush`]: how many get in at the same time.
//! - [`leave`]: how one gets out.
//! - [`read`]: what stands.
//! - [`index`]: where a user's registrations are.
//! - [`answer`]: what the scripts answer.

mod answer;
mod enter;
mod index;
mod leave;
mod read;
mod rush;

use domain::{AdminId, Registration, User};

pub(crate) use rush::Rush;

/// A registration as an organiser sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The registration.
    pub registration: Registration,
    /// Whose it is; `None` = the account was deleted.
    pub user: Option<User>,
    /// Which admin added it; `None` = the user registered.
    pub added_by: Option<AdminId>,
}
