//! What was to be reached, and whether it was.

use serde::Serialize;

use super::Report;
use crate::line::Row;
use crate::lines::names;

/// Something to reach.
#[derive(Debug, Serialize)]
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) bound: Bound,
    pub(crate) measured: f64,
    pub(crate) is_reached: bool,
}

/// Where the measured figure has to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

use Bound::{AtLeast, AtMost};

impl Bound {
    fn holds(self, measured: f64) -> bool {
        match self {
            AtLeast(least) => measured >= least,
            AtMost(most) => measured <= most,
        }
    }
}

/// The goals whose lines were measured.
pub(super) fn of(report: &Report) -> Vec<Goal> {
    let goals = [
        speed(report),
        round_trips(report),
        beside_the_peer(report),
        pages_of_long_lists(report),
        others_during_sign_ins(report),
        figures(report),
    ];
    let goals = goals.into_iter().flatten();
    goals
        .filter_map(|(what, bound, measured)| {
            let measured = measured?;
            let is_reached = bound.holds(measured);
            Some(Goal {
                what,
                bound,
                measured,
                is_reached,
            })
        })
        .collect()
}

type Candidates = Vec<(String, Bound, Option<f64>)>;

fn speed(report: &Report) -> Candidates {
    let ratios = [
        (names::HEALTH_BASE, 0.95),
        (names::HEALTH_DEEP, 0.90),
        (names::GET_COMPETITION, 0.75),
        (names::GET_ONE, 0.75),
        (names::REGISTER, 0.40),
        (names::REGISTER_ONE, 0.60),
    ];
    let ratios = ratios.into_iter().map(|(name, least)| {
        let ratio = report.row(name).and_then(|row| row.ratio);
        (format!("{name}: part of bare tonic"), AtLeast(least), ratio)
    });
    let cost = report.row(names::REGISTER);
    let cost = cost.and_then(|row| Some(row.cpu.server? / row.limit_cpu_us?));
    let cost = (
        format!("{}: CPU of the service, bare tonic = 1", names::REGISTER),
        AtMost(2.0),
        cost,
    );
    ratios.chain([cost]).collect()
}

fn round_trips(report: &Report) -> Candidates {
    let most = [
        (names::REGISTER, 2.0),
        (names::GET_COMPETITION, 1.0),
        (names::GET_ONE, 1.0),
        (names::LIST_COMPETITIONS, 3.0),
        (names::LIST_REGISTRATIONS, 3.0),
    ];
    let goal = |(name, most)| {
        let trips = report.row(name).and_then(|row| row.round_trips);
        (format!("{name}: Redis round trips"), AtMost(most), trips)
    };
    most.into_iter().map(goal).collect()
}

fn beside_the_peer(report: &Report) -> Candidates {
    let pairs = [
        (names::REGISTER, names::PEER_REGISTER, 14.0),
        (names::REGISTER_ONE, names::PEER_REGISTER, 20.0),
        (names::HEALTH_DEEP, names::PEER_HEALTH_DEEP, 100.0),
    ];
    let goal = |(ours, theirs, least)| {
        let times = report.row(ours).zip(report.row(theirs));
        let times = times.map(|(ours, theirs)| ours.per_second / theirs.per_second);
        (format!("{ours}: times the peer"), AtLeast(least), times)
    };
    pairs.into_iter().map(goal).collect()
}

/// The CPU of a page of a long list, beside that of a short one. A quarter more is noise, or a deeper tree.
fn pages_of_long_lists(report: &Report) -> Candidates {
    let pairs = [
        (names::ENTRIES_OF_1_000_000, names::ENTRIES_OF_10_000),
        (names::COMPETITIONS_OF_100_000, names::LIST_COMPETITIONS),
    ];
    let cpu = |row: &Row| Some(row.cpu.server? + row.cpu.redis?);
    let goal = |(long, short)| {
        let cost = |name| report.row(name).and_then(cpu);
        let times = cost(long)
            .zip(cost(short))
            .map(|(long, short)| long / short);
        (format!("{long}: CPU, {short} = 1"), AtMost(1.25), times)
    };
    pairs.into_iter().map(goal).collect()
}

fn others_during_sign_ins(report: &Report) -> Candidates {
    let p99 = report
        .value(names::BUSY_READS)
        .zip(report.value(names::QUIET_READS));
    let p99 = p99.map(|(busy, quiet)| busy / quiet);
    vec![
        (
            format!("{}, quiet = 1", names::BUSY_READS),
            AtMost(3.0),
            p99,
        ),
        (
            names::FAILED_READS.to_owned(),
            AtMost(0.0),
            report.value(names::FAILED_READS),
        ),
    ]
}

fn figures(report: &Report) -> Candidates {
    let most = [
        (names::SIGN_IN_MEMORY, 64.0),
        (names::MEMORY_ADMIN, 30.0),
        (names::MEMORY_USER, 30.0),
        (names::MEMORY_SPREAD, 450.0),
        (names::MEMORY_LARGE, 450.0),
        (names::START_ADMIN, 100.0),
        (names::START_USER, 100.0),
    ];
    let goal = |(name, most)| {
        let fact = report.facts.iter().find(|fact| fact.name == name);
        let unit = fact.map_or("", |fact| fact.unit);
        let value = fact.map(|fact| fact.value);
        (format!("{name}, {unit}"), AtMost(most), value)
    };
    most.into_iter().map(goal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_holds_at_its_edge() {
        assert!(AtLeast(0.4).holds(0.4) && !AtLeast(0.4).holds(0.39));
        assert!(AtMost(2.0).holds(2.0) && !AtMost(2.0).holds(2.01));
    }
}
