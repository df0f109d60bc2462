//! How things are stored: one codec for each, which parses and prints.
//!
//! The Lua scripts read and write the same formats. The comment at the head of each script's
//! prelude and the codec here state the format of a record; nothing else does.
//!
//! - [`competition`], [`registration`], [`removal_reason`], [`log_entry`], [`seal`]: a competition.
//! - [`catalogue_member`]: the list of all competitions; [`index_entry`]: a user's index.
//! - [`user`], [`admin`], [`session`], [`account_event`], [`email_claim`]: accounts.

pub mod account_event;
pub mod admin;
pub mod catalogue_member;
pub mod competition;
pub mod email_claim;
mod fields;
pub mod index_entry;
pub mod log_entry;
pub mod registration;
pub mod removal_reason;
pub mod seal;
pub mod session;
pub mod user;

pub use fields::Fields;
