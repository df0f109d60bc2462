//! The client of the other service, over one connection that stays open.

use std::sync::Arc;
use std::time::Duration;

use api::diagnostics::diagnostics_service_client::DiagnosticsServiceClient;
use api::diagnostics::{GetHealthReportRequest, ServerHealth};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::Probe;
use super::evaluation::{MAX_AGE, RESPONSE_TIMEOUT};
use super::state::CheckError;
use crate::url::ServerUrl;

/// Shorter than the 600 ms of a check, so that a failing connection attempt has ended before the
/// next check begins.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a connection may be silent before the next check tests it with a PING.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
/// How long a PING may stay unacknowledged. A half-open connection would otherwise hang for many
/// minutes.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(1);
/// The timeout of the peer's report, which needs no other server. A probe of 1 s has time for it
/// after a check of `deep` that hung.
const REPORT_TIMEOUT: Duration = Duration::from_millis(300);
/// A shallow report is below 1 KiB.
const MAX_RESPONSE_BYTES: usize = 16 * 1024;

/// The channel to the other service. It connects on first use, and again when the connection is
/// lost.
#[derive(Clone)]
pub(crate) struct Peer {
    health: HealthClient<Channel>,
    diagnostics: DiagnosticsServiceClient<Channel>,
    last_report: Arc<Mutex<Option<CachedReport>>>,
}

struct CachedReport {
    at: Instant,
    report: Option<ServerHealth>,
}

impl Peer {
    /// Needs a tokio runtime. Opens no connection yet.
    pub(super) fn new(url: &ServerUrl) -> Self {
        let channel = url
            .endpoint()
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .connect_lazy();
        Self {
            health: HealthClient::new(channel.clone())
                .max_decoding_message_size(MAX_RESPONSE_BYTES),
            diagnostics: DiagnosticsServiceClient::new(channel)
                .max_decoding_message_size(MAX_RESPONSE_BYTES),
            last_report: Arc::default(),
        }
    }

    /// Checks the name `""` of the peer and no other. That status depends on no other server, so
    /// two deep checks never call each other.
    async fn check(mut self) -> Result<(), CheckError> {
        let response = self.health.check(HealthCheckRequest::default()).await;
        // Only a fixed sentence leaves here. The peer's status could carry metadata and text of
        // the peer to our client.
        let response = response.map_err(|status| CheckError::Down(sentence(status.code())))?;
        match response.into_inner().status() {
            ServingStatus::Serving => Ok(()),
            _ => Err(CheckError::Down("the peer is not serving")),
        }
    }

    /// Returns the peer's own report, at most 1 s old and requested once for all concurrent
    /// callers. `None` if it did not come in time.
    pub(crate) async fn report(&self) -> Option<ServerHealth> {
        let report = timeout(RESPONSE_TIMEOUT, self.fresh_report()).await;
        report.ok().flatten()
    }

    async fn fresh_report(&self) -> Option<ServerHealth> {
        let mut last = Arc::clone(&self.last_report).lock_owned().await;
        if let Some(cached) = &*last
            && cached.at.elapsed() <= MAX_AGE
        {
            return cached.report.clone();
        }
        let request = self.clone().request_report();
        // In a task of its own, so that a caller who disconnects does not cancel the request that
        // other callers wait for.
        let requested = tokio::spawn(async move {
            let report = timeout(REPORT_TIMEOUT, request).await.ok().flatten();
            *last = Some(CachedReport {
                at: Instant::now(),
                report: report.clone(),
            });
            report
        });
        requested.await.ok().flatten()
    }

    /// A shallow report leaves out what the peer would have to ask this server for.
    async fn request_report(mut self) -> Option<ServerHealth> {
        let request = GetHealthReportRequest { shallow: true };
        let response = self.diagnostics.get_health_report(request).await;
        response.ok()?.into_inner().server
    }
}

pub(super) fn peer_probe(peer: Option<Peer>) -> Probe {
    Arc::new(move || match peer.clone() {
        Some(peer) => Box::pin(peer.check()),
        None => Box::pin(async { Err(CheckError::Down("no peer is set")) }),
    })
}

fn sentence(code: Code) -> &'static str {
    match code {
        // tonic also uses this code for a connection that is refused or lost.
        Code::Unavailable => "the peer cannot be reached",
        Code::Unimplemented | Code::NotFound => "the peer has no health service",
        _ => "the peer answered its health check with an error",
    }
}
