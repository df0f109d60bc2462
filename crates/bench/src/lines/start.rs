//! How long it takes until a service serves.

use super::names;
use crate::Result;
use crate::line::median;
use crate::report::Report;
use crate::stack::Stack;

const TIMES: usize = 5;

/// Starts each service several times, with Redis there: from the start of the process until readiness is
/// SERVING. Looked at every millisecond.
pub(super) async fn start(stack: &mut Stack, report: &mut Report) -> Result<()> {
    for (name, server) in [
        (names::START_ADMIN, &mut stack.admin),
        (names::START_USER, &mut stack.user),
    ] {
        let mut millis = Vec::new();
        for _ in 0..TIMES {
            millis.push(server.restart().await?.as_secs_f64() * 1e3);
        }
        report.fact(name, median(millis.into_iter()).unwrap_or_default(), "ms");
    }
    Ok(())
}
