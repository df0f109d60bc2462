//! Health over real sockets, with real faults. The timing is tested with a clock of the test in
//! `crates/server/src/health/evaluation`, and the official stubs in `integration-tests/python`.
//!
//! The fixtures: [`server`] is a server in this process, [`process`] one in a process of its own
//! that can be killed and frozen, [`client`] calls them. The tests: [`standard`], [`deep`],
//! [`cost`], [`drain`], [`report`], [`probe`].

#![allow(
    clippy::expect_used,
    reason = "in a test and its fixtures a panic is the report"
)]

mod client;
mod process;
mod server;

mod cost;
mod deep;
mod drain;
mod probe;
mod report;
mod standard;
