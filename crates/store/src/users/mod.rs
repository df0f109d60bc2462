//! Users' accounts.
//!
//! - [`sign_up`]: how one is made.
//! - [`session`]: who a token stands for.
//! - [`read`]: one, or many.
//! - [`change`]: the profile and the password.
//! - [`erase`]: how one ends.
//! - [`history`]: what happened to it.

mod change;
mod erase;
mod history;
mod read;
mod session;
mod sign_up;

pub use history::SessionTimes;
pub use sign_up::NewUser;
