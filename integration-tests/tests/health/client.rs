//! Asks a server, as any client would.

use std::time::{Duration, Instant};

use api::diagnostics::diagnostics_service_client::DiagnosticsServiceClient;
use api::diagnostics::{GetHealthReportRequest, GetHealthReportResponse};
use api::health::health_check_response::ServingStatus;
use api::health::health_client::HealthClient;
use api::health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest};
use testkit::TIMEOUT;
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
        let request = HealthCheckRequest {
            service: name.to_owned(),
        };
        match self.health.clone().check(request).await {
            Ok(answer) => Ok(answer.into_inner().status()),
            Err(status) => Err(status.code()),
        }
    }

    pub(crate) async fn is_serving(&self, name: &str) -> bool {
        self.check(name).await == Ok(ServingStatus::Serving)
    }

    /// All names with their status, in the order of the alphabet.
    pub(crate) async fn list(&self) -> Result<Vec<(String, ServingStatus)>, Code> {
        let answer = self.health.clone().list(HealthListRequest {}).await;
        let statuses = answer
            .map_err(|status| status.code())?
            .into_inner()
            .statuses;
        let mut list: Vec<_> = statuses
            .into_iter()
            .map(|(name, answer)| (name, answer.status()))
            .collect();
        list.sort();
        Ok(list)
    }

    pub(crate) async fn watch(&self, name: &str) -> Watcher {
        let request = HealthCheckRequest {
            service: name.to_owned(),
        };
        let stream = self
            .health
            .clone()
            .watch(request)
            .await
            .expect("a stream")
            .into_inner();
        Watcher { stream }
    }

    pub(crate) async fn report(&self, shallow: bool) -> GetHealthReportResponse {
        let request = GetHealthReportRequest { shallow };
        let answer = self.diagnostics.clone().get_health_report(request).await;
        answer.expect("a report").into_inner()
    }
}

/// An open Watch.
pub(crate) struct Watcher {
    stream: Streaming<HealthCheckResponse>,
}

impl Watcher {
    /// The next message; `None` is the end.
    pub(crate) async fn next(&mut self) -> Option<ServingStatus> {
        let message = timeout(TIMEOUT, self.stream.message())
            .await
            .expect("a message or the end");
        message.expect("a good end").map(|answer| answer.status())
    }

    /// Reads until that status is told.
    pub(crate) async fn until(&mut self, status: ServingStatus) {
        while self.next().await != Some(status) {}
    }

    /// Whether nothing is told for that time.
    pub(crate) async fn is_silent_for(&mut self, time: Duration) -> bool {
        timeout(time, self.stream.message()).await.is_err()
    }
}

/// Whether the call ends in time. On a busy machine a call may be late through nobody's fault, so
/// tests wait until all goes well once: what hangs never does.
pub(crate) async fn is_in_time(call: impl Future, time: Duration) -> bool {
    let began_at = Instant::now();
    call.await;
    began_at.elapsed() < time
}

/// How often Redis or the peer is asked at most in that time: about once a second, that is every
/// 0.9 s, and twice when it begins.
pub(crate) fn most_calls_in(time: Duration) -> u64 {
    3 + u64::try_from(time.as_millis()).expect("a short time") / 900
}
