//! Health.

use api::health::health_check_response::ServingStatus;
use api::health::health_client::HealthClient;
use api::health::{HealthCheckRequest, HealthCheckResponse};

use super::{Bench, names};
use crate::Result;
use crate::bare::Check;
use crate::line::{Expect, Plan, measure};
use crate::report::Report;

/// What a mesh asks: whether the server is up.
pub(super) async fn base(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    check(bench, report, names::HEALTH_BASE, "").await
}

/// Base, Redis and the peer.
pub(super) async fn deep(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    check(bench, report, names::HEALTH_DEEP, "deep").await
}

async fn check(
    bench: &Bench<'_>,
    report: &mut Report,
    name: &'static str,
    service: &'static str,
) -> Result<()> {
    let plan = Plan::<Check> {
        name,
        server: &bench.stack.user,
        in_flight: bench.in_flight(),
        expect: Expect::Answer(|health: &HealthCheckResponse| {
            health.status() == ServingStatus::Serving
        }),
    };
    let row = measure(bench, plan, |channel, _| {
        let client = HealthClient::new(channel);
        move || {
            let mut client = client.clone();
            let service = service.to_owned();
            async move { client.check(HealthCheckRequest { service }).await }
        }
    });
    report.rows.push(row.await?);
    Ok(())
}
