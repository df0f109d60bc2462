//! Health over real sockets, with real faults.
//!
//! The fixtures: [`redis`] and [`process`] are processes that can be stopped and killed, [`server`]
//! is a server in this process, [`proxy`] is a network that can break, [`client`] asks.
//! The tests: [`standard`], [`deep`], [`cost`], [`drain`], [`report`], [`probe`].

#![allow(
    clippy::expect_used,
    reason = "in a test and its fixtures a panic is the report"
)]

mod client;
mod process;
mod proxy;
mod redis;
mod server;

mod cost;
mod deep;
mod drain;
mod probe;
mod report;
mod standard;
