//! What was measured, for people and for programs.
//!
//! - [`goals`]: what was to be reached, and whether it was.
//! - [`table`]: all of it as text.
//! - [`picture`]: a rush, drawn.

mod goals;
mod picture;
mod table;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use self::goals::Goal;
use crate::Result;
use crate::line::Row;
use crate::lines::{History, say};
use crate::settings::Settings;

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    conditions: Conditions,
    pub(crate) rows: Vec<Row>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) rush: Option<History>,
    left_out: Vec<LeftOut>,
    #[serde(rename = "seconds", serialize_with = "as_seconds")]
    pub(crate) length: Duration,
}

/// Under which conditions.
#[derive(Debug, Serialize)]
struct Conditions {
    cores: usize,
    processor: String,
    kernel: String,
    /// How many processes wanted a core in the minute before the run; the run itself needs none.
    load_before: Option<f64>,
    connections: u16,
    in_flight: u16,
    seconds_a_line: f64,
}

/// A single figure.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
}

/// A line that could not be measured here.
#[derive(Debug, Serialize)]
struct LeftOut {
    name: &'static str,
    why: String,
}

impl Report {
    /// An empty report of a run that begins now.
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
                seconds_a_line: settings.seconds,
            },
            rows: Vec::new(),
            facts: Vec::new(),
            rush: None,
            left_out: Vec::new(),
            length: Duration::ZERO,
        }
    }

    /// Notes a single figure.
    pub(crate) fn fact(&mut self, name: &'static str, value: f64, unit: &'static str) {
        let fact = Fact { name, value, unit };
        say(&format!("  {}", table::fact(&fact)));
        self.facts.push(fact);
    }

    /// Notes that a line cannot be measured here.
    pub(crate) fn leave_out(&mut self, name: &'static str, why: String) {
        say(&format!("  left out: {why}"));
        self.left_out.push(LeftOut { name, why });
    }

    /// Prints the report, and writes it to `report.md`, `report.json` and `rush.svg` in this folder.
    pub(crate) fn publish(&self, folder: &Path) -> Result<()> {
        let goals = goals::of(self);
        let text = table::of(self, &goals);
        fs::write(folder.join("report.md"), &text)?;
        let all = Published {
            report: self,
            goals: &goals,
        };
        fs::write(
            folder.join("report.json"),
            serde_json::to_string_pretty(&all)?,
        )?;
        if let Some(rush) = &self.rush {
            fs::write(folder.join("rush.svg"), picture::of(rush))?;
        }
        println!("{text}");
        say(&format!("written to {}", folder.display()));
        Ok(())
    }

    fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    fn value(&self, name: &str) -> Option<f64> {
        let fact = self.facts.iter().find(|fact| fact.name == name);
        fact.map(|fact| fact.value)
    }
}

#[derive(Serialize)]
struct Published<'a> {
    #[serde(flatten)]
    report: &'a Report,
    goals: &'a [Goal],
}

fn as_seconds<S: serde::Serializer>(length: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(length.as_secs_f64())
}
