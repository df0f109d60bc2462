//! The bounds that the figures of a scenario should meet.

use serde::Serialize;

use super::contents::{BenchReport, Figure};
use crate::row::ReportRow;

/// A quantity and its bound.
#[derive(Debug)]
pub(crate) struct Goal(pub(crate) Quantity, pub(crate) Bound);

/// A quantity of the report. A text is the name of a row or of a single figure.
#[derive(Debug)]
pub(crate) enum Quantity {
    /// The throughput in relation to bare tonic.
    Ratio(&'static str),
    /// The CPU time of the service in relation to bare tonic.
    CpuToBare(&'static str),
    RoundTrips(&'static str),
    /// The throughput of the first row in relation to the second.
    ThroughputTo(&'static str, &'static str),
    /// The CPU time of service and Redis of the first row in relation to the second.
    CpuTo(&'static str, &'static str),
    Figure(&'static str),
    /// The first single figure in relation to the second.
    FigureTo(&'static str, &'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A goal and the measured value.
#[derive(Debug, Serialize)]
pub(crate) struct Evaluated {
    pub(super) quantity: String,
    pub(super) bound: Bound,
    pub(super) measured: f64,
    pub(super) is_met: bool,
}

impl Goal {
    /// `None` if the run did not measure the quantity.
    pub(super) fn evaluate(&self, report: &BenchReport) -> Option<Evaluated> {
        let Self(quantity, bound) = self;
        let (quantity, measured) = quantity.measured(report)?;
        Some(Evaluated {
            quantity,
            bound: *bound,
            measured,
            is_met: bound.is_met(measured),
        })
    }
}

impl Quantity {
    /// The description and the value.
    fn measured(&self, report: &BenchReport) -> Option<(String, f64)> {
        let row = |name: &str| report.rows.iter().find(|row| row.name == name);
        let figure = |name: &str| report.figures.iter().find(|figure| figure.name == name);
        let cpu = |row: &ReportRow| Some(row.cpu_us.server? + row.cpu_us.redis?);
        Some(match *self {
            Self::Ratio(name) => (
                format!("{name}: throughput, bare tonic = 1"),
                row(name)?.ratio?,
            ),
            Self::CpuToBare(name) => (
                format!("{name}: CPU of the service, bare tonic = 1"),
                row(name)?.cpu_us.server? / row(name)?.bare_cpu_us?,
            ),
            Self::RoundTrips(name) => (
                format!("{name}: Redis round trips"),
                row(name)?.round_trips?,
            ),
            Self::ThroughputTo(name, other) => (
                format!("{name}: throughput, {other} = 1"),
                row(name)?.calls_per_second / row(other)?.calls_per_second,
            ),
            Self::CpuTo(name, other) => (
                format!("{name}: CPU, {other} = 1"),
                cpu(row(name)?)? / cpu(row(other)?)?,
            ),
            Self::Figure(name) => {
                let &Figure { value, unit, .. } = figure(name)?;
                (format!("{name}, {unit}"), value)
            }
            Self::FigureTo(name, other) => (
                format!("{name}, {other} = 1"),
                figure(name)?.value / figure(other)?.value,
            ),
        })
    }
}

impl Bound {
    fn is_met(self, measured: f64) -> bool {
        match self {
            Self::AtLeast(least) => measured >= least,
            Self::AtMost(most) => measured <= most,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bound::{AtLeast, AtMost};

    #[test]
    fn a_bound_is_met_at_its_limit() {
        assert!(AtLeast(0.4).is_met(0.4) && !AtLeast(0.4).is_met(0.39));
        assert!(AtMost(2.0).is_met(2.0) && !AtMost(2.0).is_met(2.01));
    }
}
