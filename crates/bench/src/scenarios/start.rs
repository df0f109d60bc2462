//! The start-up time of the services, from the start of the process until readiness is SERVING.

use super::names;
use crate::context::Context;
use crate::report::BenchReport;
use crate::result::Result;
use crate::row::median;

const STARTS: usize = 5;

/// Restarts each service several times while Redis is running.
pub(super) async fn run(context: &mut Context<'_>, report: &mut BenchReport) -> Result<()> {
    for (name, server) in [
        (names::START_ADMIN, &mut context.stack.admin),
        (names::START_USER, &mut context.stack.user),
    ] {
        let mut millis = Vec::new();
        for _ in 0..STARTS {
            millis.push(server.restart().await?.as_secs_f64() * 1e3);
        }
        report.add_figure(name, median(millis.into_iter()).unwrap_or_default(), "ms");
    }
    Ok(())
}
