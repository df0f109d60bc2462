//! What takes several steps in several slots. Each workflow states in which order it writes, and what
//! a call leaves behind that is cut off in between. Only the workflows know components of two slots.

mod create_account;
mod create_admin;
mod disable_admin;
mod erase_user;
mod sign_up;

pub(crate) use create_account::AccountCreation;
pub(crate) use create_admin::AdminCreation;
pub(crate) use disable_admin::disable_admin;
pub(crate) use sign_up::SignUp;
