//! Measures how fast Startlist is, beside the limit that tonic itself sets, in the same run.
//!
//! In reading order:
//! - [`settings`]: the command line.
//! - [`stack`]: what is measured, in processes of its own: a private Redis, the services as they ship,
//!   and what the system says of their CPU time and memory.
//! - [`seed`]: the people and the competitions of the load.
//! - [`load`]: the generator. Closed: each caller calls again when it is answered. Paced: calls come
//!   whether or not the ones before are answered.
//! - [`bare`]: the limit: tonic answering the same messages, and doing nothing else.
//! - [`mod@line`]: one line of the table: a call measured in rounds, each beside its limit.
//! - [`lines`]: which lines there are.
//! - [`replay`]: the limit of Redis: what the store sends, recorded once and sent again without waiting.
//! - [`peer`]: the same job on another stack, the yardstick.
//! - [`report`]: the table, what was to be reached, and the picture of a rush.

// Counts become figures for people here: nobody reads the 53rd bit.
#![allow(clippy::cast_precision_loss)]

mod bare;
mod line;
mod lines;
mod load;
mod peer;
mod replay;
mod report;
mod seed;
mod settings;
mod stack;

use std::process::ExitCode;

use clap::Parser;

use crate::settings::{Command, Settings};

/// What can go wrong is shown to a person and ends the run, so that a sentence is all that is needed.
type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    let done = match &settings.command {
        Some(Command::BareServer(canned)) => bare::serve(canned).await,
        None => tokio::select! {
            measured = lines::measure(&settings) => measured,
            // What was started ends with the future that held it.
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
