//! The figures of a run.

use std::fmt;
use std::fs;
use std::thread;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::format::{optional, rounded, whole};
use crate::row::ReportRow;
use crate::settings::Settings;

#[derive(Debug, Serialize)]
pub(crate) struct BenchReport {
    pub(super) conditions: Conditions,
    pub(super) rows: Vec<ReportRow>,
    pub(super) figures: Vec<Figure>,
    pub(crate) burst: Option<Burst>,
    /// Scenarios that could not be measured here, with the reason.
    pub(super) left_out: Vec<String>,
    #[serde(rename = "seconds", serialize_with = "as_seconds")]
    pub(crate) duration: Duration,
}

#[derive(Debug, Serialize)]
pub(super) struct Conditions {
    pub(super) cores: usize,
    pub(super) processor: String,
    pub(super) kernel: String,
    /// The load average of the minute before the run.
    pub(super) load_before: Option<f64>,
    pub(super) connections: u16,
    pub(super) in_flight: u16,
    pub(super) seconds_per_scenario: f64,
}

/// A figure that is not part of a row.
#[derive(Debug, Serialize)]
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) value: f64,
    pub(super) unit: &'static str,
}

/// The burst of registrations: all users at once.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Burst {
    pub(crate) users: usize,
    pub(crate) confirmed: u32,
    pub(crate) waitlisted: u32,
    /// Refused because the waitlist was full.
    pub(crate) refused: u32,
    /// Retried calls: rejected for overload, and without a reply of Redis in time.
    pub(crate) overloaded: u32,
    pub(crate) unavailable: u32,
    /// From the first call to the last response.
    pub(crate) seconds: f64,
    /// From the first call of a user to the last response, retries included.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl BenchReport {
    /// An empty report. Reads the load of the machine, so call it before the run.
    pub(crate) fn new(settings: &Settings) -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let processor = read("/proc/cpuinfo");
        let processor = processor.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == "model name").then(|| value.trim().to_owned())
        });
        let load = read("/proc/loadavg");
        Self {
            conditions: Conditions {
                cores: thread::available_parallelism().map_or(1, usize::from),
                processor: processor.unwrap_or_else(|| "unknown processor".to_owned()),
                kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
                load_before: load.split(' ').next().and_then(|load| load.parse().ok()),
                connections: settings.connections,
                in_flight: settings.in_flight,
                seconds_per_scenario: settings.seconds,
            },
            rows: Vec::new(),
            figures: Vec::new(),
            burst: None,
            left_out: Vec::new(),
            duration: Duration::ZERO,
        }
    }

    pub(crate) fn add_row(&mut self, row: ReportRow) {
        eprintln!("  {}", progress(&row));
        self.rows.push(row);
    }

    pub(crate) fn add_figure(&mut self, name: &'static str, value: f64, unit: &'static str) {
        let figure = Figure { name, value, unit };
        eprintln!("  {figure}");
        self.figures.push(figure);
    }

    pub(crate) fn leave_out(&mut self, name: &str, reason: &str) {
        eprintln!("  left out: {reason}");
        self.left_out.push(format!("{name}: {reason}"));
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.name, rounded(self.value), self.unit)
    }
}

/// Summarises a row in one line.
fn progress(row: &ReportRow) -> String {
    let ratio = optional(row.ratio, |ratio| format!(", {ratio:.2} of bare tonic"));
    let throughput = format!("{}/s{ratio}", whole(row.calls_per_second));
    let notes = row.notes.iter().cloned();
    [throughput]
        .into_iter()
        .chain(notes)
        .collect::<Vec<_>>()
        .join("; ")
}

fn as_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
