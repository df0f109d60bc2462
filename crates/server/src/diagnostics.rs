//! `GetHealthReport`: the statuses of [`crate::health`] with times and reasons, for people.

use api::diagnostics::diagnostics_service_server::{DiagnosticsService, DiagnosticsServiceServer};
use api::diagnostics::{
    GetHealthReportRequest, GetHealthReportResponse, HealthStatus, PartHealth, ServerHealth,
};
use api::health::health_check_response::ServingStatus;
use tonic::{Request, Response, Status};

use crate::health::{
    CheckError, CheckResult, DependencyState, Health, HealthName, HealthState, MAX_REQUEST_BYTES,
    Phase,
};

/// `startlist.diagnostics.v1.DiagnosticsService`. It needs no credential, because a report holds
/// fixed sentences only.
pub struct Diagnostics {
    health: Health,
}

impl Diagnostics {
    /// Returns the service that reports this health, to be mounted.
    #[must_use]
    pub fn service(health: Health) -> DiagnosticsServiceServer<Self> {
        DiagnosticsServiceServer::new(Self { health }).max_decoding_message_size(MAX_REQUEST_BYTES)
    }

    fn server(&self, shallow: bool) -> ServerHealth {
        let identity = self.health.identity();
        let state = self.health.state();
        let names = HealthName::ALL.into_iter();
        let names = names.filter(|name| !shallow || !has_checks(*name));
        ServerHealth {
            name: identity.name.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: Some(self.health.started_at().into()),
            draining: state.phase == Phase::Draining,
            parts: names.map(|name| self.part(name, &state)).collect(),
        }
    }

    fn part(&self, name: HealthName, state: &HealthState) -> PartHealth {
        let status = self.health.status(name);
        let serving = status.status == ServingStatus::Serving;
        let check = last_check(name, state);
        let error = if serving { "" } else { reason(name, state) };
        let report = if serving {
            HealthStatus::Serving
        } else {
            HealthStatus::NotServing
        };
        PartHealth {
            name: name.text(self.health.identity().service).to_owned(),
            status: report.into(),
            since: Some(status.since.into()),
            latency: check.and_then(|check| check.latency.try_into().ok()),
            checked_at: check.map(|check| check.at.into()),
            error: error.to_owned(),
        }
    }
}

#[tonic::async_trait]
impl DiagnosticsService for Diagnostics {
    async fn get_health_report(
        &self,
        request: Request<GetHealthReportRequest>,
    ) -> Result<Response<GetHealthReportResponse>, Status> {
        let shallow = request.get_ref().shallow;
        let peer = if shallow {
            None
        } else {
            tokio::join!(self.health.refresh(), self.health.peer_report()).1
        };
        Ok(Response::new(GetHealthReportResponse {
            server: Some(self.server(shallow)),
            peer,
        }))
    }
}

/// Whether a status depends on checks of other servers. A shallow report leaves these out.
fn has_checks(name: HealthName) -> bool {
    matches!(
        name,
        HealthName::Deep | HealthName::Redis | HealthName::Peer
    )
}

/// Returns the last check behind a status. For `deep` that is the time of the older check and the
/// latency of the slower one.
fn last_check(name: HealthName, state: &HealthState) -> Option<CheckResult> {
    match name {
        HealthName::Redis => state.redis.last(),
        HealthName::Peer => state.peer.last(),
        HealthName::Deep => {
            let (redis, peer) = (state.redis.last()?, state.peer.last()?);
            Some(CheckResult {
                at: redis.at.min(peer.at),
                latency: redis.latency.max(peer.latency),
                error: None,
            })
        }
        HealthName::Server | HealthName::Service | HealthName::Liveness | HealthName::Readiness => {
            None
        }
    }
}

/// Returns why a name is not serving.
fn reason(name: HealthName, state: &HealthState) -> &'static str {
    match (name, state.phase) {
        (HealthName::Redis, _) => dependency_reason(&state.redis),
        (HealthName::Peer, _) => dependency_reason(&state.peer),
        (_, Phase::Starting) => "the server is starting",
        (_, Phase::Draining) => "the server is draining",
        (HealthName::Readiness, Phase::Up) if !state.redis.was_usable() => {
            "Redis has not been usable since the server started"
        }
        (HealthName::Readiness, Phase::Up) => "the server prepares for the first call",
        (_, Phase::Up) => match (state.redis.is_serving(), state.peer.is_serving()) {
            (false, false) => "neither Redis nor the peer is serving",
            (false, true) => "Redis is not serving",
            (true, _) => "the peer is not serving",
        },
    }
}

fn dependency_reason(dependency: &DependencyState) -> &'static str {
    let error = dependency.last().and_then(|check| check.error);
    error.map_or("no check finished in time", CheckError::sentence)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn check(at: u64, latency: u64) -> CheckResult {
        CheckResult {
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(at),
            latency: Duration::from_secs(latency),
            error: None,
        }
    }

    #[test]
    fn deep_has_the_time_of_the_older_check_and_the_latency_of_the_slower_one() {
        for (redis, peer) in [((1, 4), (2, 3)), ((2, 3), (1, 4))] {
            let mut state = HealthState::default();
            assert!(last_check(HealthName::Deep, &state).is_none());
            state.redis.record(check(redis.0, redis.1));
            state.peer.record(check(peer.0, peer.1));
            let deep = last_check(HealthName::Deep, &state).expect("both were checked");
            assert_eq!(deep.at, check(1, 4).at);
            assert_eq!(deep.latency, check(1, 4).latency);
        }
    }
}
