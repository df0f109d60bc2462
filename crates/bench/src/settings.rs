//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Measures how fast Startlist is, beside bare tonic in the same run
///
/// Starts a private Redis and both services, runs the scenarios, prints a report and writes it to
/// target/bench. All scenarios together take at most 5 minutes.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
pub(crate) struct Settings {
    /// Without a command the benchmark runs
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Run only the scenarios whose name contains this text, in any case; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,

    /// Seconds of measurement per scenario, without the warm-up and without bare tonic
    #[arg(long, value_name = "NUMBER", default_value_t = 4.4, value_parser = seconds)]
    pub(crate) seconds: f64,

    /// Accounts to create for the load; fewer make a short run shorter
    #[arg(long, value_name = "NUMBER", default_value_t = 50_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1_000..))]
    pub(crate) users: u32,

    /// Connections that the load generator opens to a service
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) connections: u16,

    /// Calls in flight on each connection; a sixteenth of it for calls with large responses
    #[arg(long, value_name = "NUMBER", default_value_t = 64)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) in_flight: u16,

    /// Directory for the report and for Redis's data, on a real disk [default: target/bench]
    #[arg(long, value_name = "FOLDER", hide_default_value = true)]
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/bench"))]
    pub(crate) out: PathBuf,

    /// Directory with the services' binaries [default: the directory of this program]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) programs: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves one method with one fixed response, as the bare tonic server
    #[command(hide = true)]
    BareServer(FixedResponse),
}

/// The response of the bare tonic server.
#[derive(Debug, Args)]
pub(crate) struct FixedResponse {
    /// The path of the method
    #[arg(long)]
    pub(crate) path: String,
    /// The file with the encoded message, or with the details of the error
    #[arg(long)]
    pub(crate) body: PathBuf,
    /// The code of the error, if the response is one
    #[arg(long)]
    pub(crate) code: Option<i32>,
    /// The message of the error
    #[arg(long, default_value = "")]
    pub(crate) message: String,
}

impl Settings {
    /// The measuring time of a scenario.
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    pub(crate) fn selects(&self, scenario: &str) -> bool {
        let scenario = scenario.to_lowercase();
        let matches = |only: &String| scenario.contains(&only.to_lowercase());
        self.only.is_empty() || self.only.iter().any(matches)
    }
}

/// Parses a number of seconds, from a tenth to ten minutes.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("must be a number from 0.1 to 600".to_owned()),
    }
}
