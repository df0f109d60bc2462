//! Startlist through the API: generated clients, real sockets, a real Redis.
//!
//! Each RPC has a file in [`user`] or [`admin`], named like its handler. They show that a handler
//! maps its request, its reply and each of its refusals; the rules themselves are tested in
//! `crates/store/tests`. The other files are about what crosses RPCs, and about the real binaries.

#![allow(
    clippy::expect_used,
    reason = "in a test and its fixtures a panic is the report"
)]

mod contract;
mod raw;
mod running;

mod admin;
mod doctor;
mod user;

mod authorization;
mod bootstrap;
mod config;
mod connections;
mod documents;
mod drain;
mod errors;
mod examples;
mod full;
mod guessing;
mod images;
mod input;
mod logs;
mod outage;
mod races;
mod reflection;
mod request_ids;
mod sessions;
mod startlist;
mod unlock;
