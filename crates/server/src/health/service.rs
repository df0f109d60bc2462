//! What the client sees: `grpc.health.v1.Health`.

use std::sync::Arc;

use api::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
    health_check_response::ServingStatus, health_server,
};
use futures::stream::{BoxStream, StreamExt};
use tonic::{Request, Response, Status};

use super::{
    deep::Deep,
    names::{DEEP, Names},
    watch::watch,
};

/// A request is one name.
pub(super) const MAX_REQUEST_BYTES: usize = 4 * 1024;
/// The limit that gRFC A90 sets for List.
const MAX_LISTED: usize = 100;

/// Check, Watch and List. None needs a credential.
pub struct HealthService {
    names: Arc<Names>,
    deep: Deep,
}

impl HealthService {
    pub(super) fn new(names: Arc<Names>, deep: Deep) -> Self {
        Self { names, deep }
    }
}

#[tonic::async_trait]
impl health_server::Health for HealthService {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let name = &request.get_ref().service;
        self.deep.fresh(name).await;
        match self.names.get(name) {
            Some(standing) => Ok(Response::new(message(standing.status))),
            None => Err(Status::not_found("unknown service")),
        }
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        self.deep.fresh(DEEP).await;
        let names = self.names.list();
        if names.len() > MAX_LISTED {
            return Err(Status::resource_exhausted("more than 100 names"));
        }
        let statuses = names
            .into_iter()
            .map(|(name, status)| (name, message(status)))
            .collect();
        Ok(Response::new(HealthListResponse { statuses }))
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let name = request.into_inner().service;
        // Watched from here on, so that the evaluation below is not the last.
        let watch = watch(Arc::clone(&self.names), name.clone());
        self.deep.fresh(&name).await;
        Ok(Response::new(
            watch.map(|status| Ok(message(status))).boxed(),
        ))
    }
}

fn message(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}
