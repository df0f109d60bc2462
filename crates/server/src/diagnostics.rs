//! `GetHealthReport`: what [`crate::health`] says for machines, said for people.

use api::diagnostics::{
    GetHealthReportRequest, GetHealthReportResponse, HealthStatus, PartHealth, ServerHealth,
    diagnostics_service_server::DiagnosticsService,
};
use api::health::health_check_response::ServingStatus;
use tonic::{Request, Response, Status};

use crate::health::{
    BASE, Checked, DEEP, Facts, Health, LIVENESS, PEER, Part, Phase, READINESS, REDIS,
};

/// The report of one server. It needs no credential: it shows fixed sentences
/// only.
pub struct Diagnostics {
    health: Health,
}

impl Diagnostics {
    pub(crate) fn new(health: Health) -> Self {
        Self { health }
    }

    /// The parts that need nobody else, then those that do.
    fn server(&self, shallow: bool) -> ServerHealth {
        let identity = self.health.identity();
        let facts = self.health.facts();
        let own = [BASE, identity.service, LIVENESS, READINESS];
        let asked: &[&str] = if shallow { &[] } else { &[DEEP, REDIS, PEER] };
        ServerHealth {
            name: identity.name.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: Some(self.health.started_at().into()),
            draining: facts.phase == Phase::Draining,
            parts: own
                .iter()
                .chain(asked)
                .map(|name| self.part(name, &facts))
                .collect(),
        }
    }

    fn part(&self, name: &str, facts: &Facts) -> PartHealth {
        let standing = self.health.standing(name);
        let serving = standing.is_some_and(|standing| standing.status == ServingStatus::Serving);
        let checked = checked(name, facts);
        let error = if serving { "" } else { why(name, facts) };
        PartHealth {
            name: name.to_owned(),
            status: status(serving).into(),
            since: standing.map(|standing| standing.since.into()),
            latency: checked.and_then(|checked| checked.latency.try_into().ok()),
            checked_at: checked.map(|checked| checked.at.into()),
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
            tokio::join!(self.health.fresh(), self.health.peer_report()).1
        };
        Ok(Response::new(GetHealthReportResponse {
            server: Some(self.server(shallow)),
            peer,
        }))
    }
}

/// The check behind a name, if somebody was asked. Deep is as old as the older
/// of its parts, and took as long as the slower one.
fn checked(name: &str, facts: &Facts) -> Option<Checked> {
    match name {
        REDIS => facts.redis.last(),
        PEER => facts.peer.last(),
        DEEP => {
            let (redis, peer) = (facts.redis.last()?, facts.peer.last()?);
            Some(Checked {
                at: redis.at.min(peer.at),
                latency: redis.latency.max(peer.latency),
                error: None,
            })
        }
        _ => None,
    }
}

/// Why a name is not serving.
fn why(name: &str, facts: &Facts) -> &'static str {
    match name {
        REDIS => why_part(&facts.redis),
        PEER => why_part(&facts.peer),
        _ => match facts.phase {
            Phase::Starting => "the server is starting",
            Phase::Draining => "the server is draining",
            Phase::Up if name == READINESS => "Redis has not answered since the server started",
            Phase::Up => match (facts.redis.is_serving(), facts.peer.is_serving()) {
                (false, false) => "neither Redis nor the peer is serving",
                (false, true) => "Redis is not serving",
                (true, _) => "the peer is not serving",
            },
        },
    }
}

fn why_part(part: &Part) -> &'static str {
    part.last()
        .and_then(|checked| checked.error)
        .unwrap_or("no check came to an end in time")
}

fn status(serving: bool) -> HealthStatus {
    if serving {
        HealthStatus::Serving
    } else {
        HealthStatus::NotServing
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn check(at: u64, latency: u64) -> Checked {
        Checked {
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(at),
            latency: Duration::from_secs(latency),
            error: None,
        }
    }

    #[test]
    fn deep_is_as_old_as_its_older_part_and_as_slow_as_its_slower_one() {
        for (redis, peer) in [((1, 4), (2, 3)), ((2, 3), (1, 4))] {
            let mut facts = Facts::default();
            assert!(checked(DEEP, &facts).is_none());
            facts.redis.record(check(redis.0, redis.1));
            facts.peer.record(check(peer.0, peer.1));
            let deep = checked(DEEP, &facts).unwrap();
            assert_eq!(
                (deep.at, deep.latency),
                (check(1, 4).at, check(1, 4).latency)
            );
        }
    }
}
