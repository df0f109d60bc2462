//! Startlist as its clients see it: generated clients, real sockets, a real Redis.
//!
//! Each RPC has a file in [`user`] or [`admin`], named as its handler is. Beside them are the themes that
//! cross RPCs.

#![allow(
    clippy::expect_used,
    reason = "in a test and its fixtures a panic is the report"
)]

mod contract;
mod raw;

mod admin;
mod doctor;
mod documents;
mod user;

mod authorization;
mod bootstrap;
mod config;
mod drain;
mod errors;
mod input;
mod logs;
mod outage;
mod races;

mod reflection;
mod request_ids;
mod rules;
mod sessions;
mod startlist;
