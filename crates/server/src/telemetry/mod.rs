//! The log: one line per event on stderr, as text for people or as JSON for machines.
//!
//! No line holds personal data or a secret: only methods, codes, durations and ids are logged.

mod writer;

use std::fmt;
use std::io::{self, IsTerminal};
use std::str::FromStr;

use thiserror::Error;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{Format, Json};

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people; in colour on a terminal.
    Text,
    /// One JSON object per line.
    Json,
}

/// A level, or a list of targets with levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

/// A text is not a valid [`LogFilter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be error, warn, info, debug, trace or off, or a list such as info,store=debug")]
pub struct InvalidLogFilter;

impl FromStr for LogFilter {
    type Err = InvalidLogFilter;

    fn from_str(text: &str) -> Result<Self, InvalidLogFilter> {
        match EnvFilter::try_new(text) {
            Ok(_) if !text.trim().is_empty() => Ok(Self(text.to_owned())),
            _ => Err(InvalidLogFilter),
        }
    }
}

impl LogFilter {
    /// Leaves out the warnings of h2 and hyper, unless the filter names these crates. A client
    /// causes them, some with every frame; the server logs once why it closed a connection.
    fn to_env_filter(&self) -> EnvFilter {
        let filter = format!("h2=error,hyper=error,{}", self.0);
        EnvFilter::try_new(filter).unwrap_or_default()
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes what is left of the log when it is dropped, so keep it until the end of `main`.
#[must_use = "dropping it ends the log"]
pub struct LogGuard {
    _worker: WorkerGuard,
}

/// Starts to log, for the rest of the process. A second call in the same process has no effect.
pub fn start(filter: &LogFilter, format: LogFormat) -> LogGuard {
    let (writer, worker) = writer::start(io::stderr());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter.to_env_filter())
        .with_writer(writer);
    // The only error is that the process logs already.
    let _ = match format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.event_format(json()).try_init(),
    };
    LogGuard { _worker: worker }
}

/// Returns the JSON format: the fields of an event beside its time, level and target.
pub(crate) fn json() -> Format<Json> {
    tracing_subscriber::fmt::format()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing::{error, info};

    use super::*;

    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_json_line_holds_the_fields_of_its_event() {
        let output = Output::default();
        let writer = output.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(super::json())
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            info!(target: "call", code = "OK", duration_ms = 0.125, caller = None::<&str>);
            error!(target: "call", detail = "a \"b\"\nc\\", count = 3, "two\nlines");
        });
        let bytes = output.0.lock().expect("unpoisoned").clone();
        let text = String::from_utf8(bytes).expect("text");
        let lines = text.lines().map(|line| {
            let mut line: Value = serde_json::from_str(line).expect("JSON");
            let time = line
                .as_object_mut()
                .and_then(|line| line.remove("timestamp"));
            assert!(time.is_some_and(|time| time.is_string()));
            line
        });
        let expected = [
            json!({"level": "INFO", "target": "call", "code": "OK", "duration_ms": 0.125}),
            json!({"level": "ERROR", "target": "call", "message": "two\nlines",
                "detail": "a \"b\"\nc\\", "count": 3}),
        ];
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }
}
