//! `grpc.health.v1.Health/Check`.

use api::health::HealthCheckRequest;
use api::health::health_check_response::ServingStatus;
use tonic::Request;

use super::names;
use crate::context::Context;
use crate::measure::measure;
use crate::report::BenchReport;
use crate::result::Result;
use crate::rpc::{Check, ExpectedResponse};

/// Whether the server is up, as a mesh asks.
pub(super) async fn base(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    check(context, report, names::HEALTH_BASE, "").await
}

/// Whether the server, Redis and the other service are up.
pub(super) async fn deep(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    check(context, report, names::HEALTH_DEEP, "deep").await
}

async fn check(
    context: &Context<'_>,
    report: &mut BenchReport,
    name: &'static str,
    service: &'static str,
) -> Result<()> {
    let expected =
        ExpectedResponse::<Check>::Message(|health| health.status() == ServingStatus::Serving);
    let request = move || {
        let service = service.to_owned();
        Request::new(HealthCheckRequest { service })
    };
    measure(context, report, name, expected, |_| request).await
}
