//! The log: one line per event on stderr, as text for people or as JSON for machines.
//!
//! No line holds personal data or a secret: what is logged are methods, codes, durations, and ids.

use std::fmt;
use std::io::{self, IsTerminal};
use std::str::FromStr;

use thiserror::Error;
use tracing_subscriber::EnvFilter;

mod line;
mod pipe;

pub use pipe::Flush;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people; in colour on a terminal.
    Text,
    /// One JSON object per line.
    Json,
}

/// What is logged: a level, or a list of targets with levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

/// A text that is no [`LogFilter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be error, warn, info, debug, trace or off, or a list such as info,store=debug")]
pub struct NotALogFilter;

impl FromStr for LogFilter {
    type Err = NotALogFilter;

    fn from_str(text: &str) -> Result<Self, NotALogFilter> {
        match EnvFilter::try_new(text) {
            Ok(_) if !text.trim().is_empty() => Ok(Self(text.to_owned())),
            _ => Err(NotALogFilter),
        }
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Begins to log, for the rest of the process. Lines are written a few milliseconds later by a thread
/// of their own; dropping the answer writes what is left, so keep it until the end of `main`.
///
/// A second call in the same process changes nothing.
pub fn start(filter: &LogFilter, format: LogFormat) -> Flush {
    let (writer, flush) = pipe::to_stderr();
    let filter = EnvFilter::try_new(&filter.0).unwrap_or_default();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(format == LogFormat::Text && io::stderr().is_terminal())
        .event_format(format)
        .with_writer(writer);
    // The only error is that the process logs already.
    let _ = log.try_init();
    flush
}
