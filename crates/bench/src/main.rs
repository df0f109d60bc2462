//! Measures the throughput, the latency and the cost of Startlist's calls, each beside bare tonic
//! in the same run.
//!
//! In reading order:
//! - [`settings`]: the command line.
//! - [`stack`]: the processes under test: a private Redis, both services, the bare tonic server,
//!   and the CPU time and memory that they use.
//! - [`seed`]: the users and competitions that the load needs.
//! - [`load`]: the load generator, as a closed loop or at a target rate; [`rpc`]: its gRPC calls.
//! - [`context`]: what a scenario needs, such as the running services and the users.
//! - [`measurement`]: one round of load with its counters; [`row`]: the rounds as a row of the
//!   report; [`measure`]: the rounds of a gRPC method and of bare tonic in turn.
//! - [`report`]: the tables, the goals, and the files that are written.
//! - [`scenarios`]: the table of the scenarios, and one file per subject.

// Counts become figures with three digits; the precision of f64 is enough for them.
#![allow(clippy::cast_precision_loss)]

mod context;
mod load;
mod measure;
mod measurement;
mod report;
mod result;
mod row;
mod rpc;
mod scenarios;
mod seed;
mod settings;
mod stack;

use std::process::ExitCode;
use std::time::Instant;

use clap::{CommandFactory, FromArgMatches};

use crate::context::Context;
use crate::report::BenchReport;
use crate::result::Result;
use crate::scenarios::SCENARIOS;
use crate::settings::{Command, Settings};
use crate::stack::bare;

#[tokio::main]
async fn main() -> ExitCode {
    let names = SCENARIOS.map(|scenario| format!("  {}", scenario.name));
    let help = format!("Scenarios:\n{}", names.join("\n"));
    let matches = Settings::command().after_help(help).get_matches();
    let settings = Settings::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let result = match &settings.command {
        Some(Command::BareServer(response)) => bare::serve(response).await,
        None => tokio::select! {
            result = benchmark(&settings) => result,
            // Dropping the benchmark ends all child processes.
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the selected scenarios and writes the report. The others continue when a scenario fails.
async fn benchmark(settings: &Settings) -> Result<()> {
    let started_at = Instant::now();
    let selected: Vec<_> = SCENARIOS
        .iter()
        .filter(|scenario| settings.selects(scenario.name))
        .collect();
    if selected.is_empty() {
        return Err("no scenario has such a name; --help lists the scenarios".into());
    }
    let mut report = BenchReport::new(settings);
    eprintln!("starting Redis and the services");
    let mut context = Context::start(settings).await?;
    let mut failed = Vec::new();
    for (number, scenario) in selected.iter().enumerate() {
        let (seconds, name) = (started_at.elapsed().as_secs(), scenario.name);
        eprintln!("[{seconds:3} s] {}/{} {name}", number + 1, selected.len());
        if let Err(error) = (scenario.run)(&mut context, &mut report).await {
            eprintln!("  failed: {error}");
            failed.push(name);
        }
    }
    report.duration = started_at.elapsed();
    let goals = selected.iter().flat_map(|scenario| scenario.goals);
    report::publish(&report, goals, &settings.out)?;
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("these scenarios failed: {}", failed.join("; ")).into())
}
