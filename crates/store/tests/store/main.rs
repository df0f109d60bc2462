//! What the store promises, against a real Redis: one program, so that it is linked once. Each test starts
//! a Redis of its own, so all run at the same time.
//!
//! - `rules`: the twelve rules.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod rules;
mod world;
