//! Fuzz tests: the services read any bytes from clients, and keep their promises whatever these
//! are.
//!
//! In reading order:
//! - [`TARGETS`]: the functions that are fuzzed. Each takes any bytes and panics if a promise is
//!   broken.
//! - [`requests`]: every request of the contract, compared with [`contract`], which states the
//!   limits of the contract independently.
//! - [`session_tokens`]: the tokens that clients send with each call.
//! - [`mutation`]: makes nearly valid input from valid input.
//!
//! `tests/short.rs` generates input by a seed. The binary `guided` runs the same targets under
//! libFuzzer, which looks for input that takes new paths through the code. Page tokens are tested
//! in `server::paging`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a target reports a broken promise with a panic"
)]

pub mod contract;
pub mod mutation;
pub mod requests;
pub mod session_tokens;

use testkit::Random;

/// A function that reads the input of a client.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name on the command line.
    pub name: &'static str,
    /// Panics if the input breaks a promise.
    pub check: fn(&[u8]),
    /// Generates valid or nearly valid input.
    pub generate: fn(&mut Random) -> Vec<u8>,
}

pub const TARGETS: [Target; 2] = [
    Target {
        name: "requests",
        check: requests::check,
        generate: requests::generate,
    },
    Target {
        name: "session_tokens",
        check: session_tokens::check,
        generate: session_tokens::generate,
    },
];
