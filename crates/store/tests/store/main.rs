//! What the store promises, against a real Redis: one program, so that it is linked once. Each test starts
//! a Redis of its own, so all run at the same time.
//!
//! - `rules`: the twelve rules.
//! - `races`: many at once.
//! - `together`: what many share who come at once.
//! - `known`: what was read a moment ago.
//! - `repetition`: the same request again.
//! - `accounts`: people, sessions, passwords.
//! - `lists`: pages, in order and in few round trips.
//! - `outage`: Redis away, frozen, full.
//! - `durability`: what was answered is on disk.
//! - `acl`: what each service may touch.
//! - `scripts`: records that nobody of us wrote.
//! - `seals`: what shows that a log was changed.
//! - `setup`: whether Redis keeps what it is told.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod accounts;
mod acl;
mod durability;
mod known;
mod lists;
mod outage;
mod races;
mod repetition;
mod round_trips;
mod rules;
mod scripts;
mod seals;
mod setup;
mod together;
mod world;
