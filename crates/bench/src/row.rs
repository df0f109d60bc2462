//! A row of the report: the rounds of one scenario.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::load::CallStats;
use crate::measurement::{ByProcess, Measurement};

/// Above this share of other processes, a measurement counts as disturbed.
const MAX_OTHERS: f64 = 0.08;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ReportRow {
    pub(crate) name: &'static str,
    /// The throughput: the median of the rounds, as all figures but the latencies.
    pub(crate) calls_per_second: f64,
    pub(crate) bare_calls_per_second: Option<f64>,
    /// The throughput in relation to bare tonic's in the same round.
    pub(crate) ratio: Option<f64>,
    /// Latencies over all rounds.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    /// CPU time per call in microseconds; `None` where there is no figure.
    pub(crate) cpu_us: ByProcess<Option<f64>>,
    /// CPU time per call in the bare tonic server.
    pub(crate) bare_cpu_us: Option<f64>,
    /// How often a single call waits for Redis.
    pub(crate) round_trips: Option<f64>,
    /// Redis commands per call under load, those called by scripts included.
    pub(crate) commands: BTreeMap<String, f64>,
    pub(crate) shares: Option<MachineShares>,
    /// Reasons to distrust the figures.
    pub(crate) notes: Vec<String>,
}

/// How the CPU time of the machine was divided, each from 0 to 1.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct MachineShares {
    pub(crate) server: f64,
    pub(crate) redis: f64,
    pub(crate) generator: f64,
    /// Other processes, and other machines on the same host.
    pub(crate) others: f64,
    pub(crate) idle: f64,
}

impl ReportRow {
    pub(crate) fn new(name: &'static str, rounds: &[Measurement]) -> Self {
        let mut stats = CallStats::new();
        let mut commands = BTreeMap::<String, u64>::new();
        for round in rounds {
            stats.add(&round.stats);
            for (command, count) in &round.commands {
                *commands.entry(command.clone()).or_default() += count;
            }
        }
        let calls = stats.calls().max(1) as f64;
        let per_call = |(command, count): (String, u64)| (command, count as f64 / calls);
        let shares = MachineShares::of(rounds);
        let mut notes = Vec::new();
        if let Some(failure) = &stats.first_failure {
            notes.push(format!("{} calls failed: {failure}", stats.failed));
        }
        notes.extend(shares.iter().flat_map(MachineShares::warnings));
        Self {
            name,
            calls_per_second: median(rounds.iter().map(Measurement::calls_per_second))
                .unwrap_or_default(),
            bare_calls_per_second: None,
            ratio: None,
            p50_ms: stats.quantile_ms(0.5),
            p99_ms: stats.quantile_ms(0.99),
            p999_ms: stats.quantile_ms(0.999),
            cpu_us: ByProcess {
                server: median_cpu(rounds, |cpu| cpu.server),
                redis: median_cpu(rounds, |cpu| cpu.redis),
                generator: median_cpu(rounds, |cpu| cpu.generator),
            },
            bare_cpu_us: None,
            round_trips: None,
            commands: commands.into_iter().map(per_call).collect(),
            shares,
            notes,
        }
    }

    /// Adds the figures of bare tonic, which was measured before each round.
    pub(crate) fn compare(&mut self, rounds: &[Measurement], bare: &[Measurement]) {
        let ratios = rounds
            .iter()
            .zip(bare)
            .map(|(round, bare)| round.calls_per_second() / bare.calls_per_second());
        self.ratio = median(ratios);
        self.bare_calls_per_second = median(bare.iter().map(Measurement::calls_per_second));
        self.bare_cpu_us = median_cpu(bare, |cpu| cpu.server);
        let mut failures = bare
            .iter()
            .filter_map(|bare| bare.stats.first_failure.as_ref());
        if let Some(failure) = failures.next() {
            self.notes
                .push(format!("calls to bare tonic failed: {failure}"));
        }
    }

    /// Converts a row whose calls each contain `count` operations into a row of operations.
    /// Latencies stay those of the calls.
    pub(crate) fn per_operation(mut self, count: usize) -> Self {
        let count = count as f64;
        let divided = |cpu: Option<f64>| cpu.map(|cpu| cpu / count);
        self.calls_per_second *= count;
        self.cpu_us = ByProcess {
            server: divided(self.cpu_us.server),
            redis: divided(self.cpu_us.redis),
            generator: divided(self.cpu_us.generator),
        };
        for calls in self.commands.values_mut() {
            *calls /= count;
        }
        self
    }
}

fn median_cpu(
    rounds: &[Measurement],
    process: fn(&ByProcess<Option<Duration>>) -> Option<Duration>,
) -> Option<f64> {
    let per_call = |round: &Measurement| round.micros_per_call(process(&round.cpu));
    median(rounds.iter().filter_map(per_call))
}

impl MachineShares {
    fn of(rounds: &[Measurement]) -> Option<Self> {
        let mut used = ByProcess::<Duration>::default();
        let (mut total, mut idle) = (Duration::ZERO, Duration::ZERO);
        for round in rounds {
            used.server += round.cpu.server.unwrap_or_default();
            used.redis += round.cpu.redis.unwrap_or_default();
            used.generator += round.cpu.generator?;
            total += round.machine?.total;
            idle += round.machine?.idle;
        }
        let share = |part: Duration| part.as_secs_f64() / total.as_secs_f64();
        let ours = used.server + used.redis + used.generator;
        (!total.is_zero()).then(|| Self {
            server: share(used.server),
            redis: share(used.redis),
            generator: share(used.generator),
            others: share(total.saturating_sub(idle + ours)),
            idle: share(idle),
        })
    }

    fn warnings(&self) -> Vec<String> {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let mut warnings = Vec::new();
        if self.generator > self.server + self.redis {
            warnings.push(format!(
                "the generator was the bottleneck: it used {} of the machine, the server and \
                 Redis {}",
                percent(self.generator),
                percent(self.server + self.redis)
            ));
        }
        if self.others > MAX_OTHERS {
            let others = percent(self.others);
            warnings.push(format!(
                "disturbed: other processes used {others} of the machine"
            ));
        }
        warnings
    }
}

/// The median; `None` without values.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_is_the_mean_of_the_middle_two() {
        assert_eq!(median([].into_iter()), None);
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
    }

    #[test]
    fn a_row_warns_when_the_generator_or_another_process_used_the_machine() {
        let fair = MachineShares {
            server: 0.5,
            redis: 0.1,
            generator: 0.35,
            others: 0.03,
            idle: 0.02,
        };
        assert!(fair.warnings().is_empty());
        let generator = MachineShares {
            server: 0.3,
            generator: 0.6,
            ..fair
        };
        let warning = &generator.warnings()[0];
        assert!(warning.starts_with("the generator was the bottleneck: it used 60 %"));
        let disturbed = MachineShares {
            others: 0.2,
            ..fair
        };
        let expected = "disturbed: other processes used 20 % of the machine";
        assert_eq!(disturbed.warnings(), [expected]);
    }
}
