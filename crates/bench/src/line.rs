//! One line of the table: a call measured in rounds, each beside its limit.
//!
//! A round measures the limit, then the call. So both see the same machine, and what is compared is
//! never more than a few seconds apart. The median of the rounds is shown, and latencies are those of
//! all rounds together.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::pin::Pin;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Serialize;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use crate::Result;
use crate::bare::{Canned, Rpc};
use crate::lines::Bench;
use crate::load::closed::{self, Window};
use crate::load::{Answer, Tally};
use crate::stack::usage::{self, Machine};
use crate::stack::{Counters, Program, RedisCounters, Server, connect};

/// How often a call and its limit are measured in turn.
pub(crate) const ROUNDS: u32 = 3;
/// How long calls are made before they count: until both sides are warm and the queues are full.
const WARM_UP: Duration = Duration::from_millis(300);
/// How many calls are made one after the other to count the round trips, and how many times.
const QUIET_CALLS: u32 = 2;
const QUIET_TIMES: u32 = 50;

/// How much of an unexpected answer is shown, in characters.
const MOST_SHOWN: usize = 300;

/// What a line measures.
pub(crate) struct Plan<'a, R: Rpc> {
    pub(crate) name: &'static str,
    pub(crate) server: &'a Server,
    /// How many calls are in flight on each connection.
    pub(crate) in_flight: usize,
    pub(crate) expect: Expect<R>,
}

/// The answer that a line is about. Any other one is a failure.
pub(crate) enum Expect<R: Rpc> {
    /// A message of which this holds.
    Answer(fn(&R::Response) -> bool),
    /// An error with this code.
    Refusal(Code),
}

/// What came back.
type Answered<R> = std::result::Result<Response<<R as Rpc>::Response>, Status>;

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Calls answered per second.
    pub(crate) per_second: f64,
    /// What tonic alone answers per second with the same messages, measured in turn with the line.
    pub(crate) limit_per_second: Option<f64>,
    /// The part of the limit that is reached: the median of the rounds.
    pub(crate) ratio: Option<f64>,
    /// Latencies in milliseconds.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    /// CPU time of one call in microseconds; `None` = the system does not say, or it has no part in it.
    pub(crate) cpu: PerCall<Option<f64>>,
    /// CPU time of one bare call, in the server.
    pub(crate) limit_cpu_us: Option<f64>,
    /// How often a call waits for Redis, one after the other.
    pub(crate) round_trips: Option<f64>,
    /// How many Redis commands one call costs under load, those inside of scripts too.
    pub(crate) commands: BTreeMap<String, f64>,
    /// Which part of the machine was spent on what, from 0 to 1.
    pub(crate) shares: Option<Shares>,
    pub(crate) notes: Vec<String>,
}

/// Something for each of the three who work on a call.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct PerCall<T> {
    pub(crate) server: T,
    pub(crate) redis: T,
    pub(crate) generator: T,
}

/// Which part of the machine was spent on what, from 0 to 1.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Shares {
    pub(crate) server: f64,
    pub(crate) redis: f64,
    pub(crate) generator: f64,
    /// Processes that have nothing to do with it, and other machines on the same host.
    pub(crate) others: f64,
    pub(crate) idle: f64,
}

/// What is looked at before and after calls count.
struct Look {
    at: Instant,
    cpu: PerCall<Option<Duration>>,
    machine: Option<Machine>,
    redis: Counters,
}

/// One measurement.
pub(crate) struct Sample {
    pub(crate) tally: Tally,
    length: Duration,
    cpu: PerCall<Option<Duration>>,
    machine: Option<Machine>,
    commands: BTreeMap<String, u64>,
}

/// Measures a call. `make` makes a caller on a connection; the number tells callers apart.
pub(crate) async fn measure<R, M, C, F>(
    bench: &Bench<'_>,
    plan: Plan<'_, R>,
    make: M,
) -> Result<Row>
where
    R: Rpc,
    M: Fn(Channel, usize) -> C,
    C: FnMut() -> F + Send + 'static,
    F: Future<Output = Answered<R>> + Send + 'static,
{
    let mut callers = open(bench, &plan.server.url, plan.in_flight, &make).await?;
    let first = callers.first_mut().ok_or("there is no connection")?;
    let real = first().await;
    plan.expect
        .judge(&real)
        .map_err(|failure| format!("{}: {failure}", plan.name))?;
    let round_trips = count_round_trips(bench, first).await?;
    let bare = start_bare::<R>(bench, &real)?;
    let bare_callers = open(bench, &bare.url, plan.in_flight, &make).await?;

    let judge = |caller| judged(caller, plan.expect);
    let mut callers: Vec<_> = callers.into_iter().map(judge).collect();
    let mut bare_callers: Vec<_> = bare_callers.into_iter().map(judge).collect();
    let length = bench.settings.length() / ROUNDS;
    let (mut limits, mut samples) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let limit;
        (bare_callers, limit) = sample(&bench.watch(Some(&bare)), bare_callers, length).await?;
        limits.push(limit);
        let measured;
        (callers, measured) = sample(&bench.watch(Some(plan.server)), callers, length).await?;
        samples.push(measured);
    }
    let mut row = Row::of(plan.name, &samples);
    row.round_trips = round_trips;
    row.compare(&samples, &limits);
    Ok(row)
}

/// Whose work is watched while calls are made.
pub(crate) struct Watched<'a> {
    /// The process of the server; `None` = there is none.
    pub(crate) server: Option<u32>,
    /// The process of Redis.
    pub(crate) redis: Option<u32>,
    pub(crate) counters: &'a RedisCounters,
}

/// Measures one round of these callers.
pub(crate) async fn sample<C, F>(
    watched: &Watched<'_>,
    callers: Vec<C>,
    length: Duration,
) -> Result<(Vec<C>, Sample)>
where
    C: FnMut() -> F + Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let running = closed::start(callers, Window::new(WARM_UP, length));
    running.begun().await;
    let before = Look::now(watched).await?;
    running.ended().await;
    let after = Look::now(watched).await?;
    let (callers, tally) = running.finish().await?;
    Ok((callers, Sample::between(tally, &before, &after)))
}

/// Makes the callers of a line: a number on each of several connections.
async fn open<C>(
    bench: &Bench<'_>,
    url: &str,
    in_flight: usize,
    make: impl Fn(Channel, usize) -> C,
) -> Result<Vec<C>> {
    let mut channels = Vec::new();
    for _ in 0..bench.settings.connections {
        channels.push(connect(url).await?);
    }
    let callers = channels.len() * in_flight;
    let channel = |number: usize| channels[number % channels.len()].clone();
    Ok((0..callers)
        .map(|number| make(channel(number), number))
        .collect())
}

impl<R: Rpc> Expect<R> {
    fn judge(self, answered: &Answered<R>) -> Answer {
        match (self, answered) {
            (Self::Answer(is_expected), Ok(answer)) if is_expected(answer.get_ref()) => Ok(()),
            (Self::Refusal(code), Err(status)) if status.code() == code => Ok(()),
            (_, Ok(answer)) => {
                let answer = format!("{:?}", answer.get_ref());
                let begin: String = answer.chars().take(MOST_SHOWN).collect();
                Err(format!("not the expected answer: {begin}"))
            }
            (_, Err(status)) => Err(format!("{:?}: {}", status.code(), status.message())),
        }
    }
}

impl<R: Rpc> Clone for Expect<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Rpc> Copy for Expect<R> {}

/// A caller whose answers are judged.
fn judged<R, C, F>(mut caller: C, expect: Expect<R>) -> impl FnMut() -> Judged + Send + 'static
where
    R: Rpc,
    C: FnMut() -> F + Send + 'static,
    F: Future<Output = Answered<R>> + Send + 'static,
{
    move || {
        let call = caller();
        Box::pin(async move { expect.judge(&call.await) })
    }
}

type Judged = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Counts how often Redis reads a socket during one call, while there is only one. What a call sends
/// together arrives in one read, so that this is how often it waits for Redis. Something else that asks
/// Redis now and then adds to it: the fewest of several times counts.
async fn count_round_trips<C, F, T>(bench: &Bench<'_>, caller: &mut C) -> Result<Option<f64>>
where
    C: FnMut() -> F,
    F: Future<Output = T>,
{
    let mut fewest = u64::MAX;
    for _ in 0..QUIET_TIMES {
        let before = bench.counters.read().await?.reads;
        for _ in 0..QUIET_CALLS {
            caller().await;
        }
        let after = bench.counters.read().await?.reads;
        // One read is that of the second question.
        fewest = fewest.min((after - before).saturating_sub(1));
    }
    Ok(Some(fewest as f64 / f64::from(QUIET_CALLS)))
}

/// A bare server that answers this.
fn start_bare<R: Rpc>(bench: &Bench<'_>, answer: &Answered<R>) -> Result<Server> {
    let (arguments, bytes) = Canned::of::<R>(answer);
    let file = bench.stack.folder().join("canned-answer");
    fs::write(&file, bytes)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("bare-server").args(arguments);
    command.arg("--answer").arg(file);
    let mut program = Program::start(command, bench.stack.folder())?;
    let mut url = String::new();
    if let Some(stdout) = program.stdout() {
        BufReader::new(stdout).read_line(&mut url)?;
    }
    if url.is_empty() {
        return Err(program.complaint().into());
    }
    let url = url.trim_end().to_owned();
    Ok(Server { program, url })
}

impl Look {
    async fn now(watched: &Watched<'_>) -> Result<Self> {
        let cpu = PerCall {
            server: watched.server.and_then(usage::cpu_time),
            redis: watched.redis.and_then(usage::cpu_time),
            generator: usage::cpu_time(std::process::id()),
        };
        let (at, machine) = (Instant::now(), usage::machine());
        let redis = watched.counters.read().await?;
        Ok(Self {
            at,
            cpu,
            machine,
            redis,
        })
    }
}

impl Sample {
    fn between(tally: Tally, before: &Look, after: &Look) -> Self {
        let spent = |after: Option<Duration>, before: Option<Duration>| {
            Some(after?.saturating_sub(before?))
        };
        Self {
            tally,
            length: after.at - before.at,
            cpu: PerCall {
                server: spent(after.cpu.server, before.cpu.server),
                redis: spent(after.cpu.redis, before.cpu.redis),
                generator: spent(after.cpu.generator, before.cpu.generator),
            },
            machine: after
                .machine
                .zip(before.machine)
                .map(|(after, before)| after.since(before)),
            commands: after.redis.commands_since(&before.redis),
        }
    }

    fn per_second(&self) -> f64 {
        self.tally.calls() as f64 / self.length.as_secs_f64()
    }

    fn micros_per_call(&self, spent: Option<Duration>) -> Option<f64> {
        let calls = self.tally.calls().max(1) as f64;
        spent.map(|spent| spent.as_secs_f64() * 1e6 / calls)
    }
}

impl Row {
    /// A row without a limit.
    pub(crate) fn of(name: &'static str, samples: &[Sample]) -> Self {
        let mut tally = Tally::new();
        let mut commands = BTreeMap::<String, u64>::new();
        for sample in samples {
            tally.add(&sample.tally);
            for (command, ran) in &sample.commands {
                *commands.entry(command.clone()).or_default() += ran;
            }
        }
        let calls = tally.calls().max(1) as f64;
        let per_call = |(command, ran): (String, u64)| (command, ran as f64 / calls);
        let cpu = |of: fn(&Sample) -> Option<Duration>| {
            let each = samples
                .iter()
                .filter_map(|sample| sample.micros_per_call(of(sample)));
            median(each)
        };
        let mut row = Self {
            name,
            per_second: median(samples.iter().map(Sample::per_second)).unwrap_or_default(),
            limit_per_second: None,
            ratio: None,
            p50_ms: tally.quantile_ms(0.5),
            p99_ms: tally.quantile_ms(0.99),
            p999_ms: tally.quantile_ms(0.999),
            cpu: PerCall {
                server: cpu(|sample| sample.cpu.server),
                redis: cpu(|sample| sample.cpu.redis),
                generator: cpu(|sample| sample.cpu.generator),
            },
            limit_cpu_us: None,
            round_trips: None,
            commands: commands.into_iter().map(per_call).collect(),
            shares: Shares::of(samples),
            notes: Vec::new(),
        };
        if let Some(failure) = &tally.first_failure {
            let sentence = format!(
                "{} calls were not answered as expected: {failure}",
                tally.failed
            );
            row.notes.push(sentence);
        }
        if let Some(shares) = row.shares {
            row.notes.extend(shares.remarks());
        }
        row
    }

    /// The row of callers each of whose calls does the work of so many.
    pub(crate) fn each_for(mut self, calls: usize) -> Self {
        let calls = calls as f64;
        let of_one = |cost: Option<f64>| cost.map(|cost| cost / calls);
        self.per_second *= calls;
        self.cpu = PerCall {
            server: of_one(self.cpu.server),
            redis: of_one(self.cpu.redis),
            generator: of_one(self.cpu.generator),
        };
        for ran in self.commands.values_mut() {
            *ran /= calls;
        }
        self
    }

    /// Sets the row beside its limit, measured round by round.
    fn compare(&mut self, samples: &[Sample], limits: &[Sample]) {
        let rounds = samples.iter().zip(limits);
        let ratios = rounds.map(|(sample, limit)| sample.per_second() / limit.per_second());
        self.ratio = median(ratios);
        self.limit_per_second = median(limits.iter().map(Sample::per_second));
        let cpu = limits
            .iter()
            .filter_map(|limit| limit.micros_per_call(limit.cpu.server));
        self.limit_cpu_us = median(cpu);
        if let Some(failure) = limits
            .iter()
            .find_map(|limit| limit.tally.first_failure.as_ref())
        {
            self.notes.push(format!("the limit failed: {failure}"));
        }
    }
}

impl Shares {
    fn of(samples: &[Sample]) -> Option<Self> {
        let mut spent = PerCall::<Duration>::default();
        let (mut all, mut idle) = (Duration::ZERO, Duration::ZERO);
        for sample in samples {
            spent.server += sample.cpu.server.unwrap_or_default();
            spent.redis += sample.cpu.redis.unwrap_or_default();
            spent.generator += sample.cpu.generator?;
            all += sample.machine?.all();
            idle += sample.machine?.idle;
        }
        let share = |part: Duration| part.as_secs_f64() / all.as_secs_f64();
        let ours = spent.server + spent.redis + spent.generator;
        (!all.is_zero()).then(|| Self {
            server: share(spent.server),
            redis: share(spent.redis),
            generator: share(spent.generator),
            others: share(all.saturating_sub(idle + ours)),
            idle: share(idle),
        })
    }

    /// What a reader has to know before believing the figures.
    fn remarks(self) -> Vec<String> {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let mut remarks = Vec::new();
        if self.generator > self.server + self.redis {
            remarks.push(format!(
                "the generator was the bottleneck: it took {} of the machine, the server and Redis {}",
                percent(self.generator),
                percent(self.server + self.redis)
            ));
        }
        if self.others > 0.08 {
            remarks.push(format!(
                "disturbed: something else took {} of the machine",
                percent(self.others)
            ));
        }
        remarks
    }
}

/// The middle of these; `None` = there are none.
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
    fn the_median_is_the_middle() {
        assert_eq!(median([].into_iter()), None);
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
    }

    #[test]
    fn a_reader_is_told_when_the_generator_or_something_else_took_the_machine() {
        let fair = Shares {
            server: 0.5,
            redis: 0.1,
            generator: 0.35,
            others: 0.03,
            idle: 0.02,
        };
        assert!(fair.remarks().is_empty());
        let generator = Shares {
            server: 0.3,
            generator: 0.6,
            ..fair
        };
        assert!(
            generator.remarks()[0].starts_with("the generator was the bottleneck: it took 60 %")
        );
        let disturbed = Shares {
            others: 0.2,
            ..fair
        };
        assert_eq!(
            disturbed.remarks(),
            ["disturbed: something else took 20 % of the machine"]
        );
    }
}
