//! Users' accounts.
//!
//! - [`sign_up`]: how one is made.
//! - [`session`]: who a token stands for.
//! - [`read`]: one, or many.
//! - [`change`]: the profile and the password.
//! - [`erase`]: how one ends.
//! - [`history`]: what happened to it.
//! - [`record`]: how it is stored.

mod change;
mod erase;
mod history;
mod read;
mod record;
mod session;
mod sign_up;

pub use history::{AccountEvent, SessionTimes};
pub(crate) use record::read_user;
pub use sign_up::NewUser;
