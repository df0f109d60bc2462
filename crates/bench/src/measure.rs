//! Measures a scenario in rounds.
//!
//! Each round of a gRPC method follows a round of bare tonic with the same messages, so that the
//! two are compared under the same conditions, a few seconds apart.

use tonic::Request;

use crate::context::Context;
use crate::load::Caller;
use crate::measurement::{Measurement, Observed, measure_round};
use crate::report::BenchReport;
use crate::result::Result;
use crate::row::ReportRow;
use crate::rpc::{ExpectedResponse, Rpc, RpcCaller, call};
use crate::stack::{bare, connect};

const ROUNDS: u32 = 3;
/// Round trips are counted over this many calls in sequence, and the lowest of several counts is
/// used: background work of the services adds to some of them.
const COUNTED_CALLS: u32 = 2;
const COUNTS: u32 = 50;

/// Measures a method and bare tonic in turn, and adds a row with this name to the report.
///
/// `requests` returns the source of the requests of one caller, given its number. The callers of
/// bare tonic have sources of their own.
pub(crate) async fn measure<R, M, G>(
    context: &Context<'_>,
    report: &mut BenchReport,
    name: &'static str,
    expected: ExpectedResponse<R>,
    requests: M,
) -> Result<()>
where
    R: Rpc,
    M: Fn(usize) -> G,
    G: FnMut() -> Request<R::Request> + Send + 'static,
{
    let server = context.stack.server(R::SERVICE);
    let mut callers = connect_callers(context, &server.url, expected, &requests).await?;
    let first = callers.first_mut().ok_or("there is no connection")?;
    let mut call_once = async || call::<R>(&first.channel, (first.next_request)()).await;
    let response = call_once().await;
    expected.check(&response)?;
    let round_trips = count_round_trips(context, async || drop(call_once().await)).await?;
    let bare_server = bare::start::<R>(&response, context.stack.folder())?;
    let mut bare_callers = connect_callers(context, &bare_server.url, expected, &requests).await?;

    let observed = context.observe(Some(server));
    let bare_observed = context.observe(Some(&bare_server));
    let duration = context.settings.duration() / ROUNDS;
    let (mut bare_rounds, mut rounds) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let round;
        (bare_callers, round) = measure_round(&bare_observed, bare_callers, duration).await?;
        bare_rounds.push(round);
        let round;
        (callers, round) = measure_round(&observed, callers, duration).await?;
        rounds.push(round);
    }
    let mut row = ReportRow::new(name, &rounds);
    row.round_trips = Some(round_trips);
    row.compare(&rounds, &bare_rounds);
    report.add_row(row);
    Ok(())
}

/// Measures callers of something else than a gRPC method, without a comparison.
pub(crate) async fn measure_alone<C: Caller>(
    context: &Context<'_>,
    observed: &Observed<'_>,
    mut callers: Vec<C>,
) -> Result<Vec<Measurement>> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let round;
        let duration = context.settings.duration() / ROUNDS;
        (callers, round) = measure_round(observed, callers, duration).await?;
        rounds.push(round);
    }
    Ok(rounds)
}

/// Opens the connections, each of which is shared by several callers.
async fn connect_callers<R: Rpc, G>(
    context: &Context<'_>,
    url: &str,
    expected: ExpectedResponse<R>,
    requests: impl Fn(usize) -> G,
) -> Result<Vec<RpcCaller<R, G>>> {
    let mut channels = Vec::new();
    for _ in 0..context.settings.connections {
        channels.push(connect(url).await?);
    }
    let caller = |number: usize| RpcCaller {
        channel: channels[number % channels.len()].clone(),
        next_request: requests(number),
        expected,
    };
    let mut in_flight = usize::from(context.settings.in_flight);
    // The responses of list methods are large: more of them would only wait for the generator.
    if R::PATH.contains("/List") {
        in_flight = (in_flight / 16).max(1);
    }
    Ok((0..channels.len() * in_flight).map(caller).collect())
}

/// Counts how often Redis reads a socket during one call while no other call runs. A pipeline
/// arrives in one read, so this is how often the call waits for Redis.
async fn count_round_trips(context: &Context<'_>, mut call: impl AsyncFnMut()) -> Result<f64> {
    let mut lowest = u64::MAX;
    for _ in 0..COUNTS {
        let before = context.counters.read().await?.reads;
        for _ in 0..COUNTED_CALLS {
            call().await;
        }
        let after = context.counters.read().await?.reads;
        // One of the reads is that of the second INFO.
        lowest = lowest.min((after - before).saturating_sub(1));
    }
    Ok(lowest as f64 / f64::from(COUNTED_CALLS))
}
