//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::bare::Canned;

/// Measures how fast Startlist is, beside the limit that tonic itself sets
///
/// Prints a table, and writes it with all figures and a picture to target/bench. Takes at most 5 minutes.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
pub(crate) struct Settings {
    /// What to do; `None` = measure.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Only the lines whose name contains this, in any case; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,

    /// Name the lines and end
    #[arg(long)]
    pub(crate) list: bool,

    /// How many seconds each line is measured, its limit not counted
    #[arg(long, value_name = "NUMBER", default_value_t = 4.4)]
    #[arg(value_parser = seconds)]
    pub(crate) seconds: f64,

    /// How many connections the generator opens
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) connections: u16,

    /// How many calls are in flight on each connection; calls with large answers have fewer
    #[arg(long, value_name = "NUMBER", default_value_t = 64)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) in_flight: u16,

    /// Where the report goes, and while it runs the data of Redis: a disk that is a real one
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/bench"))]
    pub(crate) out: PathBuf,

    /// Where the release builds of the services are [default: beside this program]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) programs: Option<PathBuf>,

    /// Where the peer is; its lines are left out if it is not there
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/peer"))]
    pub(crate) peer: PathBuf,
}

/// What the program does beside measuring.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves one method with one answer; what the limit is measured with
    #[command(hide = true)]
    BareServer(Canned),
}

impl Settings {
    /// How long a line is measured in all.
    pub(crate) fn length(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// Whether a line of this name is wanted.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let asked = |only: &String| name.contains(&only.to_lowercase());
        self.only.is_empty() || self.only.iter().any(asked)
    }
}

/// Reads a number of seconds: from a tenth to ten minutes.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("must be a number from 0.1 to 600".to_owned()),
    }
}
