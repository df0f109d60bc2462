//! The report: what was measured and under which conditions.
//!
//! - [`contents`]: the figures, as the scenarios add them.
//! - [`goals`]: the bounds that figures should meet.
//! - [`markdown`]: the report as text; [`mod@format`]: its numbers and tables.

mod contents;
mod format;
pub(crate) mod goals;
mod markdown;

use std::fs;
use std::path::Path;

use serde::Serialize;

pub(crate) use self::contents::{BenchReport, Burst};
use self::goals::{Evaluated, Goal};
use crate::result::Result;

#[derive(Serialize)]
struct Published<'a> {
    #[serde(flatten)]
    report: &'a BenchReport,
    goals: &'a [Evaluated],
}

/// Prints the report and writes it to `report.md` and `report.json` in this directory.
pub(crate) fn publish<'a>(
    report: &BenchReport,
    goals: impl Iterator<Item = &'a Goal>,
    folder: &Path,
) -> Result<()> {
    let goals: Vec<_> = goals.filter_map(|goal| goal.evaluate(report)).collect();
    let text = markdown::render(report, &goals);
    fs::write(folder.join("report.md"), &text)?;
    let goals = &goals;
    let json = serde_json::to_string_pretty(&Published { report, goals })?;
    fs::write(folder.join("report.json"), json)?;
    println!("{text}");
    eprintln!("written to {}", folder.display());
    Ok(())
}
