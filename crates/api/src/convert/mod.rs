//! Domain values to messages: one file per topic.
//!
//! A message of one domain value has a `From`; a message of several has a `new`.

mod admin;
mod audit;
mod competition;
mod number;
mod registration;
mod time;
mod user;

pub use time::timestamp;
