//! One round of load, with the counters of the processes and of Redis before and after it.

use std::collections::BTreeMap;
use std::process;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use crate::load::closed_loop::{self, Window};
use crate::load::{CallStats, Caller};
use crate::result::Result;
use crate::stack::CounterReader;
use crate::stack::redis::RedisCounts;
use crate::stack::usage::{self, MachineTime};

/// Long enough for caches and flow control to settle and for the queues to fill.
const WARM_UP: Duration = Duration::from_millis(300);

/// The processes whose CPU time is read, and the Redis whose counters are read.
pub(crate) struct Observed<'a> {
    /// The pid of the server; `None` if the calls go to Redis directly.
    pub(crate) server: Option<u32>,
    /// The pid of Redis.
    pub(crate) redis: Option<u32>,
    pub(crate) counters: &'a CounterReader,
}

/// One value for each process that takes part in a call.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub(crate) struct ByProcess<T> {
    pub(crate) server: T,
    pub(crate) redis: T,
    pub(crate) generator: T,
}

/// One round of load.
pub(crate) struct Measurement {
    pub(crate) stats: CallStats,
    pub(crate) duration: Duration,
    /// The CPU time used; `None` where the system has no figure or the process takes no part.
    pub(crate) cpu: ByProcess<Option<Duration>>,
    pub(crate) machine: Option<MachineTime>,
    /// How often Redis ran each command.
    pub(crate) commands: BTreeMap<String, u64>,
}

struct ObservedState {
    at: Instant,
    cpu: ByProcess<Option<Duration>>,
    machine: Option<MachineTime>,
    redis: RedisCounts,
}

/// Warms up, then measures these callers for `duration`. Returns the callers for a further round.
pub(crate) async fn measure_round<C: Caller>(
    observed: &Observed<'_>,
    callers: Vec<C>,
    duration: Duration,
) -> Result<(Vec<C>, Measurement)> {
    let window = Window::after(WARM_UP, duration);
    let snapshots = async {
        sleep_until(window.starts_at.into()).await;
        let before = ObservedState::take(observed).await?;
        sleep_until(window.ends_at.into()).await;
        Ok((before, ObservedState::take(observed).await?))
    };
    let calls = closed_loop::run(callers, window);
    let ((callers, stats), (before, after)) = tokio::try_join!(calls, snapshots)?;
    Ok((callers, Measurement::between(&before, &after, stats)))
}

impl ObservedState {
    async fn take(observed: &Observed<'_>) -> Result<Self> {
        let cpu = ByProcess {
            server: observed.server.and_then(usage::cpu_time),
            redis: observed.redis.and_then(usage::cpu_time),
            generator: usage::cpu_time(process::id()),
        };
        let (at, machine) = (Instant::now(), MachineTime::now());
        let redis = observed.counters.read().await?;
        Ok(Self {
            at,
            cpu,
            machine,
            redis,
        })
    }
}

impl Measurement {
    fn between(before: &ObservedState, after: &ObservedState, stats: CallStats) -> Self {
        let used = |process: fn(&ByProcess<Option<Duration>>) -> Option<Duration>| {
            Some(process(&after.cpu)?.saturating_sub(process(&before.cpu)?))
        };
        let machine = after.machine.zip(before.machine);
        Self {
            stats,
            duration: after.at - before.at,
            cpu: ByProcess {
                server: used(|cpu| cpu.server),
                redis: used(|cpu| cpu.redis),
                generator: used(|cpu| cpu.generator),
            },
            machine: machine.map(|(after, before)| after.since(before)),
            commands: after.redis.commands_since(&before.redis),
        }
    }

    pub(crate) fn calls_per_second(&self) -> f64 {
        self.stats.calls() as f64 / self.duration.as_secs_f64()
    }

    /// The share of a CPU time in one call, in microseconds.
    pub(crate) fn micros_per_call(&self, cpu: Option<Duration>) -> Option<f64> {
        let calls = self.stats.calls().max(1) as f64;
        cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / calls)
    }
}
