//! Bad input: what the services read from strangers, and what must hold whatever it is.
//!
//! In reading order:
//! - [`TARGETS`]: what is fuzzed. A target is a function that takes any bytes and panics if a promise is
//!   broken.
//! - [`requests`]: every request of the contract, against [`contract`], its limits written down once more.
//! - [`page_tokens`], [`session_tokens`]: what clients send back.
//! - [`mutation`]: bad input from good, by a seed.
//!
//! `tests/short.rs` makes bad input from good on stable Rust. `guided/` hands the same targets to
//! libFuzzer, which looks at what the code does with them; it is a workspace of its own.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a target says by a panic what is wrong"
)]

pub mod contract;
pub mod mutation;
pub mod page_tokens;
pub mod requests;
pub mod session_tokens;

use mutation::Random;

/// Something that reads what a stranger wrote.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What it is called on the command line.
    pub name: &'static str,
    /// Panics if these bytes break a promise.
    pub check: fn(&[u8]),
    /// Makes bytes that are good, or nearly.
    pub make: fn(&mut Random) -> Vec<u8>,
}

/// All of them.
pub const TARGETS: [Target; 3] = [
    Target {
        name: "requests",
        check: requests::check,
        make: requests::make,
    },
    Target {
        name: "page_tokens",
        check: page_tokens::check,
        make: page_tokens::make,
    },
    Target {
        name: "session_tokens",
        check: session_tokens::check,
        make: session_tokens::make,
    },
];
