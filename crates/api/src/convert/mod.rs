//! What the domain says, in words of the contract: one file per topic.
//!
//! Mostly `From`; where the contract puts several things of the domain into one message, a `new`.

mod admin;
mod audit;
mod competition;
mod number;
mod registration;
mod time;
mod user;

pub use time::timestamp;
