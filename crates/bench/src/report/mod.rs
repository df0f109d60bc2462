//! The report: what was measured and under which conditions.
//!
//! - [`goals`]: the bounds that a scenario should meet.
//! - [`markdown`]: the report as text.

pub(crate) mod goals;
mod markdown;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde::{Serialize, Serializer};

use self::goals::{Evaluated, Goal};
use crate::result::Result;
use crate::row::ReportRow;
use crate::settings::Settings;

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    conditions: Conditions,
    rows: Vec<ReportRow>,
    figures: Vec<Figure>,
    pub(crate) burst: Option<Burst>,
    left_out: Vec<LeftOut>,
    #[serde(rename = "seconds", serialize_with = "as_seconds")]
    pub(crate) duration: Duration,
}

#[derive(Debug, Serialize)]
struct Conditions {
    cores: usize,
    processor: String,
    kernel: String,
    /// The load average of the minute before the run.
    load_before: Option<f64>,
    connections: u16,
    in_flight: u16,
    seconds_per_scenario: f64,
}

/// A figure that is not part of a row.
#[derive(Debug, Serialize)]
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
}

/// The burst of registrations: all users at once.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Burst {
    pub(crate) users: usize,
    pub(crate) confirmed: u32,
    pub(crate) waitlisted: u32,
    /// Refused because the waitlist was full.
    pub(crate) refused: u32,
    /// Calls rejected for overload, and calls that Redis did not answer in time. The clients retried.
    pub(crate) overloaded: u32,
    pub(crate) unavailable: u32,
    /// From the first call to the last response.
    pub(crate) seconds: f64,
    /// From the first call of a user to the last response, retries included.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

/// A scenario that could not be measured here.
#[derive(Debug, Serialize)]
struct LeftOut {
    name: &'static str,
    reason: String,
}

impl Report {
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
        eprintln!("  {}", markdown::progress(&row));
        self.rows.push(row);
    }

    pub(crate) fn add_figure(&mut self, name: &'static str, value: f64, unit: &'static str) {
        let figure = Figure { name, value, unit };
        eprintln!("  {}", markdown::figure(&figure));
        self.figures.push(figure);
    }

    pub(crate) fn leave_out(&mut self, name: &'static str, reason: String) {
        eprintln!("  left out: {reason}");
        self.left_out.push(LeftOut { name, reason });
    }

    /// Prints the report and writes it to `report.md` and `report.json` in this directory.
    pub(crate) fn publish<'a>(
        &self,
        folder: &Path,
        goals: impl Iterator<Item = &'a Goal>,
    ) -> Result<()> {
        #[derive(Serialize)]
        struct Published<'a> {
            #[serde(flatten)]
            report: &'a Report,
            goals: &'a [Evaluated],
        }
        let goals: Vec<_> = goals.filter_map(|goal| goal.evaluate(self)).collect();
        let text = markdown::render(self, &goals);
        fs::write(folder.join("report.md"), &text)?;
        let published = Published {
            report: self,
            goals: &goals,
        };
        let json = serde_json::to_string_pretty(&published)?;
        fs::write(folder.join("report.json"), json)?;
        println!("{text}");
        eprintln!("written to {}", folder.display());
        Ok(())
    }
}

fn as_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
