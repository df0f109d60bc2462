//! The report as Markdown that is readable in a terminal too.

use std::collections::BTreeMap;

use super::contents::{BenchReport, Burst};
use super::format::{optional, rounded, table, whole};
use super::goals::{Bound, Evaluated};
use crate::row::ReportRow;

const LEGEND: &str = "\
calls/s: throughput in a closed loop; bare/s: throughput of bare tonic with the same messages, \
measured in turn; ratio: calls/s to bare/s, the median of the rounds. p50, p99, p99.9: latency in \
ms, in a closed loop mostly the time in the queue that the generator keeps full. CPU: microseconds \
per call in the service, in the bare server, in Redis, in the generator. trips: how often a single \
call waits for Redis, counted as reads of Redis's sockets.";

pub(super) fn render(report: &BenchReport, goals: &[Evaluated]) -> String {
    let mut parts = vec!["# How fast Startlist is".to_owned(), conditions(report)];
    if !report.rows.is_empty() {
        parts.push(throughput(&report.rows));
        parts.push(LEGEND.to_owned());
        parts.extend(notes(&report.rows));
        parts.push("## How the CPU time of the machine was divided".to_owned());
        parts.push(shares(&report.rows));
        parts.push("## Redis commands per call, under load".to_owned());
        parts.push(commands(&report.rows));
    }
    if let Some(result) = &report.burst {
        parts.push("## The burst of registrations".to_owned());
        parts.push(burst(result));
    }
    if !report.figures.is_empty() {
        let lines = report.figures.iter().map(|figure| format!("- {figure}"));
        parts.push("## Single figures".to_owned());
        parts.push(lines.collect::<Vec<_>>().join("\n"));
    }
    if !goals.is_empty() {
        parts.push("## Goals".to_owned());
        parts.push(goal_table(goals));
    }
    let left_out = report.left_out.iter();
    parts.extend(left_out.map(|scenario| format!("Left out: {scenario}")));
    parts.join("\n\n")
}

fn conditions(report: &BenchReport) -> String {
    let conditions = &report.conditions;
    let load = conditions.load_before.map(|load| {
        let warning = if load > 0.5 {
            ", which disturbs the measurements"
        } else {
            ""
        };
        format!(" The load average before the run was {load:.2}{warning}.")
    });
    format!(
        "{} cores shared by generator, services and Redis ({}, Linux {}), loopback, {} connections \
         with up to {} calls in flight each, {} s per scenario, {:.0} s in total. `appendfsync \
         always`, a log line for each call, default settings; only the rewrite of Redis's file is \
         off.{}",
        conditions.cores,
        conditions.processor,
        conditions.kernel,
        conditions.connections,
        conditions.in_flight,
        conditions.seconds_per_scenario,
        report.duration.as_secs_f64(),
        load.unwrap_or_default(),
    )
}

fn burst(burst: &Burst) -> String {
    format!(
        "{} users at once, in {:.2} s: {} confirmed, {} waitlisted, {} refused; no limit was \
         exceeded. {} calls were rejected for overload and {} were not answered by Redis in time; \
         the clients retried them with the same request id. Latency of a user, retries included: \
         p50 {} ms, p99 {} ms, maximum {} ms.",
        burst.users,
        burst.seconds,
        burst.confirmed,
        burst.waitlisted,
        burst.refused,
        burst.overloaded,
        burst.unavailable,
        whole(burst.p50_ms),
        whole(burst.p99_ms),
        whole(burst.max_ms),
    )
}

fn throughput(rows: &[ReportRow]) -> String {
    let head = [
        "scenario", "calls/s", "bare/s", "ratio", "p50", "p99", "p99.9", "CPU", "bare", "Redis",
        "gen.", "trips",
    ];
    let cells = rows.iter().map(|row| {
        vec![
            row.name.to_owned(),
            whole(row.calls_per_second),
            optional(row.bare_calls_per_second, whole),
            optional(row.ratio, |ratio| format!("{ratio:.2}")),
            rounded(row.p50_ms),
            rounded(row.p99_ms),
            rounded(row.p999_ms),
            optional(row.cpu_us.server, rounded),
            optional(row.bare_cpu_us, rounded),
            optional(row.cpu_us.redis, rounded),
            optional(row.cpu_us.generator, rounded),
            optional(row.round_trips, |trips| format!("{trips:.2}")),
        ]
    });
    table(&head, cells)
}

fn notes(rows: &[ReportRow]) -> Option<String> {
    let notes = rows.iter().flat_map(|row| {
        let note = move |note: &String| format!("- {}: {note}", row.name);
        row.notes.iter().map(note)
    });
    let notes: Vec<_> = notes.collect();
    (!notes.is_empty()).then(|| notes.join("\n"))
}

fn shares(rows: &[ReportRow]) -> String {
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
        let name = [row.name.to_owned()];
        Some(name.into_iter().chain(parts.map(percent)).collect())
    });
    table(
        &[
            "scenario",
            "service",
            "Redis",
            "generator",
            "others",
            "idle",
        ],
        cells,
    )
}

fn commands(rows: &[ReportRow]) -> String {
    let cells = rows.iter().filter(|row| !row.commands.is_empty());
    let cells = cells.map(|row| vec![row.name.to_owned(), list(&row.commands)]);
    table(&["scenario", "commands, calls by scripts included"], cells)
}

/// The commands that run at least once per hundred calls, the most frequent first.
fn list(commands: &BTreeMap<String, f64>) -> String {
    let mut commands: Vec<_> = commands.iter().filter(|(_, ran)| **ran >= 0.01).collect();
    commands.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let commands = commands.iter();
    let each = commands.map(|(name, ran)| format!("{ran:.2} {name}"));
    each.collect::<Vec<_>>().join(", ")
}

fn goal_table(goals: &[Evaluated]) -> String {
    let cells = goals.iter().map(|goal| {
        let bound = match goal.bound {
            Bound::AtLeast(least) => format!(">= {}", rounded(least)),
            Bound::AtMost(most) => format!("<= {}", rounded(most)),
        };
        let is_met = if goal.is_met { "yes" } else { "NO" };
        vec![
            goal.quantity.clone(),
            bound,
            rounded(goal.measured),
            is_met.to_owned(),
        ]
    });
    table(&["goal", "bound", "measured", "met"], cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_sorted_by_frequency_and_rare_ones_are_left_out() {
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
