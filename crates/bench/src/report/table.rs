//! The report as text: Markdown that can be read in a terminal too.

use std::collections::BTreeMap;

use super::goals::{Bound, Goal};
use super::{Fact, Report};
use crate::line::Row;

/// All of it.
pub(super) fn of(report: &Report, goals: &[Goal]) -> String {
    let mut parts = vec!["# How fast it is".to_owned(), conditions(report)];
    if !report.rows.is_empty() {
        parts.push(lines(&report.rows));
        parts.push(LEGEND.trim().to_owned());
        parts.extend(notes(&report.rows));
        parts.push("## Where the machine's time went".to_owned());
        parts.push(shares(&report.rows));
        parts.push("## Redis commands of one call, under load".to_owned());
        parts.push(commands(&report.rows));
    }
    if let Some(rush) = &report.rush {
        let counts = rush
            .counts
            .iter()
            .map(|(ending, count)| format!("{count} {ending}"));
        parts.push("## The rush".to_owned());
        parts.push(format!(
            "{} people in {:.2} s: {}. The limit was exact. {} calls were turned away for the load and {} not answered by Redis in time; all of them came back with the same request id. Picture: rush.svg",
            rush.people,
            rush.seconds,
            counts.collect::<Vec<_>>().join(", "),
            rush.turned_away,
            rush.unanswered,
        ));
    }
    if !report.facts.is_empty() {
        let facts = report
            .facts
            .iter()
            .map(|fact| format!("- {}", self::fact(fact)));
        parts.push("## Single figures".to_owned());
        parts.push(facts.collect::<Vec<_>>().join("\n"));
    }
    if !goals.is_empty() {
        parts.push("## What was to be reached".to_owned());
        parts.push(self::goals(goals));
    }
    for left_out in &report.left_out {
        parts.push(format!("Left out: {}: {}", left_out.name, left_out.why));
    }
    parts.join("\n\n")
}

const LEGEND: &str = "
Calls are answered calls per second, in a closed loop; bare is what tonic alone answers with the same messages, measured in turn with the line; ratio is calls / bare, the median of the rounds. Latencies are in ms, and in a closed loop mostly those of the queue that the generator keeps full. CPU is in us a call: of the service, of a bare server, of Redis, of the generator. Trips is how often one call waits for Redis, counted as reads of Redis's sockets while there is only one call.
";

/// A row while the run goes on.
impl Row {
    pub(crate) fn in_short(&self) -> String {
        let ratio = self.ratio.map(|ratio| format!(", {ratio:.2} of bare"));
        let mut line = format!(
            "  {}/s{}",
            whole(self.per_second),
            ratio.unwrap_or_default()
        );
        for note in &self.notes {
            line.push_str("; ");
            line.push_str(note);
        }
        line
    }
}

/// A single figure.
pub(super) fn fact(fact: &Fact) -> String {
    format!("{}: {} {}", fact.name, figure(fact.value), fact.unit)
}

fn conditions(report: &Report) -> String {
    let conditions = &report.conditions;
    let load = conditions.load_before.map(|load| {
        let warning = if load > 0.5 {
            ", which disturbs it"
        } else {
            ""
        };
        format!(" The load before was {load:.2}{warning}.")
    });
    format!(
        "{} cores shared by generator, services and Redis ({}, Linux {}), loopback, {} connections with up to {} calls in flight each, {} s a line, {:.0} s in all. appendfsync always, a log line for each call, all settings as they ship; only the rewrite of Redis's file is put off.{}",
        conditions.cores,
        conditions.processor,
        conditions.kernel,
        conditions.connections,
        conditions.in_flight,
        conditions.seconds_a_line,
        report.length.as_secs_f64(),
        load.unwrap_or_default(),
    )
}

fn lines(rows: &[Row]) -> String {
    let head = [
        "line", "calls/s", "bare/s", "ratio", "p50", "p99", "p99.9", "CPU", "bare", "Redis",
        "gen.", "trips",
    ];
    let cells = rows.iter().map(|row| {
        vec![
            row.name.to_owned(),
            whole(row.per_second),
            optional(row.limit_per_second, whole),
            optional(row.ratio, |ratio| format!("{ratio:.2}")),
            figure(row.p50_ms),
            figure(row.p99_ms),
            figure(row.p999_ms),
            optional(row.cpu.server, figure),
            optional(row.limit_cpu_us, figure),
            optional(row.cpu.redis, figure),
            optional(row.cpu.generator, figure),
            optional(row.round_trips, |trips| format!("{trips:.2}")),
        ]
    });
    table(&head, cells)
}

fn notes(rows: &[Row]) -> Option<String> {
    let notes = rows.iter().flat_map(|row| {
        let note = move |note: &String| format!("- {}: {note}", row.name);
        row.notes.iter().map(note)
    });
    let notes: Vec<_> = notes.collect();
    (!notes.is_empty()).then(|| notes.join("\n"))
}

fn shares(rows: &[Row]) -> String {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let cells = rows.iter().filter_map(|row| {
        let shares = row.shares?;
        let parts = [
            shares.server,
            shares.redis,
            shares.generator,
            shares.others,
            shares.idle,
        ];
        Some(
            [row.name.to_owned()]
                .into_iter()
                .chain(parts.map(percent))
                .collect(),
        )
    });
    table(
        &["line", "service", "Redis", "generator", "others", "idle"],
        cells,
    )
}

fn commands(rows: &[Row]) -> String {
    let cells = rows.iter().filter(|row| !row.commands.is_empty());
    let cells = cells.map(|row| vec![row.name.to_owned(), list(&row.commands)]);
    table(&["line", "commands, those inside of scripts too"], cells)
}

/// The commands that at least one call in a hundred needs, the most frequent first.
fn list(commands: &BTreeMap<String, f64>) -> String {
    let mut commands: Vec<_> = commands.iter().filter(|(_, ran)| **ran >= 0.01).collect();
    commands.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let each = commands
        .iter()
        .map(|(name, ran)| format!("{ran:.2} {name}"));
    each.collect::<Vec<_>>().join(", ")
}

fn goals(goals: &[Goal]) -> String {
    let cells = goals.iter().map(|goal| {
        let bound = match goal.bound {
            Bound::AtLeast(least) => format!(">= {}", figure(least)),
            Bound::AtMost(most) => format!("<= {}", figure(most)),
        };
        let reached = if goal.is_reached { "yes" } else { "NO" };
        vec![
            goal.what.clone(),
            bound,
            figure(goal.measured),
            reached.to_owned(),
        ]
    });
    table(&["what", "to reach", "measured", "reached"], cells)
}

/// A table whose first column is text and whose other columns are figures.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head = head.iter().map(ToString::to_string).collect();
    let rows: Vec<Vec<String>> = [head].into_iter().chain(rows).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..rows[0].len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, &width))| match column {
            0 => format!("{cell:width$}"),
            _ => format!("{cell:>width$}"),
        });
        format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule = widths
        .iter()
        .enumerate()
        .map(|(column, width)| match column {
            0 => "-".repeat(width + 2),
            _ => format!("{}:", "-".repeat(width + 1)),
        });
    let rule = format!("|{}|", rule.collect::<Vec<_>>().join("|"));
    let mut lines = rows.iter().map(line);
    let head = lines.next().unwrap_or_default();
    [head, rule]
        .into_iter()
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}

fn optional(value: Option<f64>, show: impl Fn(f64) -> String) -> String {
    value.map(show).unwrap_or_default()
}

/// A figure with as many digits as say something.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => whole(value),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size > 0.0 => format!("{value:.2}"),
        _ => "0".to_owned(),
    }
}

/// A whole number with its thousands apart.
fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", digits.as_str()), |rest| ("-", rest));
    let mut text = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_as_many_digits_as_say_something() {
        for (value, text) in [
            (0.0, "0"),
            (0.404, "0.40"),
            (17.32, "17.3"),
            (450.4, "450"),
            (17_321.6, "17,322"),
            (-1_234_567.0, "-1,234,567"),
        ] {
            assert_eq!(figure(value), text);
        }
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [vec!["Register".to_owned(), "17,300".to_owned()]];
        let expected = "| line     | calls/s |\n|----------|--------:|\n| Register |  17,300 |";
        assert_eq!(table(&["line", "calls/s"], rows.into_iter()), expected);
    }

    #[test]
    fn frequent_commands_come_first_and_rare_ones_are_left_out() {
        let ran = [
            ("hget", 1.0),
            ("evalsha", 0.25),
            ("ping", 0.001),
            ("hset", 2.0),
        ];
        let ran = ran.map(|(name, ran)| (name.to_owned(), ran)).into();
        assert_eq!(list(&ran), "2.00 hset, 1.00 hget, 0.25 evalsha");
    }
}
