//! A client of health and of the health report.

use std::time::{Duration, Instant};

use api::diagnostics::diagnostics_service_client::DiagnosticsServiceClient;
use api::diagnostics::{GetHealthReportRequest, GetHealthReportResponse};
use api::health::health_check_response::ServingStatus;
use api::health::health_client::HealthClient;
use api::health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest};
use testkit::{TIMEOUT, eventually};
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Streaming};

/// A client of one server.
#[derive(Clone)]
pub(crate) struct Client {
    health: HealthClient<Channel>,
    diagnostics: DiagnosticsServiceClient<Channel>,
}

impl Client {
    pub(crate) async fn connect(address: &str) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
        let channel = endpoint.connect().await.expect("a connection");
        Self {
            health: HealthClient::new(channel.clone()),
            diagnostics: DiagnosticsServiceClient::new(channel),
        }
    }

    pub(crate) async fn check(&self, name: &str) -> Result<ServingStatus, Code> {
        let reply = self.health.clone().check(request(name)).await;
        let reply = reply.map_err(|status| status.code())?;
        Ok(reply.into_inner().status())
    }

    pub(crate) async fn is_serving(&self, name: &str) -> bool {
        self.check(name).await == Ok(ServingStatus::Serving)
    }

    pub(crate) async fn wait_until_serving(&self, name: &str) {
        eventually(name, async || self.is_serving(name).await).await;
    }

    /// All names with their status, sorted by name.
    pub(crate) async fn list(&self) -> Vec<(String, ServingStatus)> {
        let reply = self.health.clone().list(HealthListRequest {}).await;
        let statuses = reply.expect("a list").into_inner().statuses.into_iter();
        let mut list: Vec<_> = statuses
            .map(|(name, reply)| (name, reply.status()))
            .collect();
        list.sort();
        list
    }

    pub(crate) async fn watch(&self, name: &str) -> Watch {
        let reply = self.health.clone().watch(request(name)).await;
        Watch {
            stream: reply.expect("a stream").into_inner(),
        }
    }

    pub(crate) async fn report(&self, shallow: bool) -> GetHealthReportResponse {
        let request = GetHealthReportRequest { shallow };
        let reply = self.diagnostics.clone().get_health_report(request).await;
        reply.expect("a report").into_inner()
    }
}

fn request(name: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: name.to_owned(),
    }
}

/// An open stream of statuses.
pub(crate) struct Watch {
    stream: Streaming<HealthCheckResponse>,
}

impl Watch {
    /// The next status; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<ServingStatus> {
        let message = timeout(TIMEOUT, self.stream.message()).await;
        let message = message.expect("a message or the end in time");
        message.expect("no error").map(|reply| reply.status())
    }

    /// Reads until this status arrives.
    pub(crate) async fn until(&mut self, status: ServingStatus) {
        while self.next().await != Some(status) {}
    }

    /// Whether no status arrives within this time.
    pub(crate) async fn is_silent_for(&mut self, time: Duration) -> bool {
        timeout(time, self.stream.message()).await.is_err()
    }
}

/// Whether the call ends in time. On a busy machine any call may be late once, so that tests wait
/// until it is in time: a call that hangs never is.
pub(crate) async fn is_in_time(call: impl Future, time: Duration) -> bool {
    let began_at = Instant::now();
    call.await;
    began_at.elapsed() < time
}

/// The largest number of calls to Redis or the peer in that time: one every 0.9 s, and two at the
/// start.
pub(crate) fn most_calls_in(time: Duration) -> u64 {
    3 + u64::try_from(time.as_millis()).expect("a short time") / 900
}
