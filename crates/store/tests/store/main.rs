//! What the store promises, tested with a real Redis. All tests are in one program, so that it is
//! linked once. Each test starts a Redis of its own, so that all tests run concurrently.
//!
//! - `rules`: the twelve rules.
//! - `races`: many concurrent calls.
//! - `batching`: calls that share a batch.
//! - `competition_cache`: cached reads of competitions.
//! - `repetition`: repeated requests.
//! - `accounts`: accounts, sessions, passwords.
//! - `lists`: pages, in order and in few round trips.
//! - `outage`: Redis is down or frozen.
//! - `full`: Redis is out of memory.
//! - `failover`: another Redis becomes the primary behind the same address.
//! - `health`: the health check of the store.
//! - `durability`: what a call has returned is on disk.
//! - `acl`: the permissions of each Redis user.
//! - `scripts`: damaged records.
//! - `seals`: changes of a log that its seal reveals.
//! - `setup`: the checks of Redis's settings.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod accounts;
mod acl;
mod batching;
mod competition_cache;
mod durability;
mod failover;
mod full;
mod health;
mod lists;
mod outage;
mod races;
mod repetition;
mod rules;
mod scripts;
mod seals;
mod setup;
mod world;
