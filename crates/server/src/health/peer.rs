//! The other service, over one kept channel.

use std::{sync::Arc, time::Duration};

use api::diagnostics::{
    GetHealthReportRequest, ServerHealth, diagnostics_service_client::DiagnosticsServiceClient,
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use tonic::{Code, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{
    Probe,
    evaluation::{ANSWER_WITHIN, MAX_AGE},
    names::BASE,
    url::ServerUrl,
};

/// Shorter than the 600 ms of a check, so that a connection that cannot be made has
/// failed before the next check begins.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// A connection on which nothing came for this long is tried with a PING when
/// the next check uses it, …
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
/// … and given up if that is not answered: it may be half-open, and would hang
/// for many minutes.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(1);
/// For the peer's report, which asks nobody. A probe of 1 s has time for it after
/// a check of deep that hung.
const REPORT_DEADLINE: Duration = Duration::from_millis(300);
/// A shallow report is below 1 KiB.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// The channel to the other service. Connects when it is first used, and again
/// whenever the connection was lost.
#[derive(Clone)]
pub(crate) struct Peer {
    health: HealthClient<Channel>,
    diagnostics: DiagnosticsServiceClient<Channel>,
    last_report: Arc<Mutex<Option<Pulled>>>,
}

struct Pulled {
    at: Instant,
    report: Option<ServerHealth>,
}

impl Peer {
    /// Needs a tokio runtime; connects to nobody yet.
    pub(super) fn new(url: &ServerUrl) -> Self {
        let channel = url
            .endpoint()
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .connect_lazy();
        Self {
            health: HealthClient::new(channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES),
            diagnostics: DiagnosticsServiceClient::new(channel)
                .max_decoding_message_size(MAX_ANSWER_BYTES),
            last_report: Arc::default(),
        }
    }

    /// Asks for the base of the peer and for nothing else: its base asks nobody,
    /// and so two deep checks never call each other.
    async fn base(mut self) -> Result<(), &'static str> {
        let base = HealthCheckRequest {
            service: BASE.to_owned(),
        };
        // The peer's status ends here. Handed on, it would carry the peer's
        // metadata and words to our client.
        let answer = self
            .health
            .check(base)
            .await
            .map_err(|status| sentence(status.code()))?;
        match answer.into_inner().status() {
            ServingStatus::Serving => Ok(()),
            _ => Err("the peer is not serving"),
        }
    }

    /// The peer's own report: at most 1 s old, pulled once however many ask.
    /// `None` if it did not come in time.
    pub(crate) async fn report(&self) -> Option<ServerHealth> {
        timeout(ANSWER_WITHIN, self.fresh_report())
            .await
            .ok()
            .flatten()
    }

    async fn fresh_report(&self) -> Option<ServerHealth> {
        let mut last = Arc::clone(&self.last_report).lock_owned().await;
        if let Some(pulled) = &*last
            && pulled.at.elapsed() <= MAX_AGE
        {
            return pulled.report.clone();
        }
        let pull = self.clone().pull();
        // A task, so that a caller who hangs up does not begin it anew for the
        // next one.
        let pulled = tokio::spawn(async move {
            let report = timeout(REPORT_DEADLINE, pull).await.ok().flatten();
            *last = Some(Pulled {
                at: Instant::now(),
                report: report.clone(),
            });
            report
        });
        pulled.await.ok().flatten()
    }

    /// Shallow: without what the peer would have to ask us.
    async fn pull(mut self) -> Option<ServerHealth> {
        let shallow = GetHealthReportRequest { shallow: true };
        self.diagnostics
            .get_health_report(shallow)
            .await
            .ok()?
            .into_inner()
            .server
    }
}

/// The probe that asks the base of the peer.
pub(super) fn base_probe(peer: Option<Peer>) -> Probe {
    Arc::new(move || match peer.clone() {
        Some(peer) => Box::pin(peer.base()),
        None => Box::pin(async { Err("no peer is set") }),
    })
}

fn sentence(code: Code) -> &'static str {
    match code {
        // Also what tonic makes of a connection that is refused or lost.
        Code::Unavailable => "the peer cannot be reached",
        Code::Unimplemented | Code::NotFound => "the peer has no health service",
        _ => "the peer answered its health check with an error",
    }
}
