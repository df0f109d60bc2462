//! The gRPC service `grpc.health.v1.Health`.

use std::future;
use std::sync::Arc;

use api::health::health_check_response::ServingStatus;
use api::health::health_server;
use api::health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse};
use futures::stream::{self, BoxStream, Stream, StreamExt};
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use super::evaluation::Evaluations;
use super::name::{HealthName, StatusSince, Statuses};

/// Check, Watch and List, without credentials.
pub struct HealthService {
    statuses: Arc<Statuses>,
    evaluations: Evaluations,
}

impl HealthService {
    pub(super) fn new(statuses: Arc<Statuses>, evaluations: Evaluations) -> Self {
        Self {
            statuses,
            evaluations,
        }
    }
}

#[tonic::async_trait]
impl health_server::Health for HealthService {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let name = self.statuses.find(&request.get_ref().service);
        let name = name.ok_or_else(|| Status::not_found("unknown service"))?;
        self.evaluations.refresh(name).await;
        Ok(Response::new(response(self.statuses.get(name).status)))
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        self.evaluations.refresh(HealthName::Deep).await;
        let statuses = self.statuses.list().into_iter();
        let statuses = statuses.map(|(name, status)| (name.to_owned(), response(status)));
        Ok(Response::new(HealthListResponse {
            statuses: statuses.collect(),
        }))
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let name = self.statuses.find(&request.get_ref().service);
        // Subscribe first: the subscription keeps the evaluation below running afterwards.
        let statuses = watch(Arc::clone(&self.statuses), name);
        if let Some(name) = name {
            self.evaluations.refresh(name).await;
        }
        let responses = statuses.map(|status| Ok(response(status)));
        Ok(Response::new(responses.boxed()))
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}

/// Returns the current status, then each change, until watches end. For an unknown name that is
/// `SERVICE_UNKNOWN` and no change, because names never appear later.
fn watch(
    statuses: Arc<Statuses>,
    name: Option<HealthName>,
) -> impl Stream<Item = ServingStatus> + Send {
    let watch = Watch {
        channel: name.map(|name| statuses.subscribe(name)),
        statuses,
        sent: None,
    };
    stream::unfold(watch, async |mut watch| {
        let status = watch.next().await?;
        Some((status, watch))
    })
}

struct Watch {
    statuses: Arc<Statuses>,
    /// `None` if the name is unknown.
    channel: Option<watch::Receiver<StatusSince>>,
    sent: Option<ServingStatus>,
}

impl Watch {
    /// Returns the next status to send; `None` at the end.
    async fn next(&mut self) -> Option<ServingStatus> {
        loop {
            // Read the end before the status, so that a status set before the end is still sent.
            let ended = self.statuses.watches_have_ended();
            let status = self.status();
            if self.sent != Some(status) {
                self.sent = Some(status);
                return Some(status);
            }
            if ended {
                return None;
            }
            tokio::select! {
                () = changed(&mut self.channel) => {}
                () = self.statuses.watches_end() => {}
            }
        }
    }

    fn status(&mut self) -> ServingStatus {
        match &mut self.channel {
            Some(channel) => channel.borrow_and_update().status,
            None => ServingStatus::ServiceUnknown,
        }
    }
}

async fn changed(channel: &mut Option<watch::Receiver<StatusSince>>) {
    match channel {
        // It fails only without a sender, and the watch holds the senders.
        Some(channel) => drop(channel.changed().await),
        None => future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use HealthName::{Deep, Peer, Redis};
    use ServingStatus::{NotServing, ServiceUnknown, Serving};

    type Watcher = BoxStream<'static, ServingStatus>;

    fn statuses() -> Arc<Statuses> {
        Arc::new(Statuses::new("startlist.test.v1.TestService"))
    }

    fn watcher(statuses: &Arc<Statuses>, name: Option<HealthName>) -> Watcher {
        watch(Arc::clone(statuses), name).boxed()
    }

    /// Reads what is there without waiting, ten messages at most.
    fn read(watcher: &mut Watcher) -> Vec<ServingStatus> {
        let next = || watcher.next().now_or_never().flatten();
        std::iter::from_fn(next).take(10).collect()
    }

    #[test]
    fn a_watcher_gets_the_status_at_once_and_then_each_change() {
        let statuses = statuses();
        let mut watcher = watcher(&statuses, Some(Redis));
        assert_eq!(read(&mut watcher), [NotServing]);
        statuses.set(Redis, NotServing);
        statuses.set(Peer, Serving);
        assert_eq!(read(&mut watcher), [], "nothing has changed");
        statuses.set(Redis, Serving);
        assert_eq!(read(&mut watcher), [Serving]);
    }

    #[test]
    fn a_slow_watcher_gets_only_the_latest_status() {
        let statuses = statuses();
        let mut watcher = watcher(&statuses, Some(Redis));
        assert_eq!(read(&mut watcher), [NotServing]);
        for status in [Serving, NotServing, Serving] {
            statuses.set(Redis, status);
        }
        assert_eq!(read(&mut watcher), [Serving]);
        for status in [NotServing, Serving] {
            statuses.set(Redis, status);
        }
        assert_eq!(read(&mut watcher), [], "the watcher has this status");
    }

    #[test]
    fn an_unknown_name_is_service_unknown_until_the_end() {
        let statuses = statuses();
        let mut watcher = watcher(&statuses, None);
        assert_eq!(read(&mut watcher), [ServiceUnknown]);
        statuses.set(Redis, Serving);
        assert_eq!(read(&mut watcher), []);
        statuses.end_watches();
        assert_eq!(watcher.next().now_or_never(), Some(None));
    }

    #[test]
    fn every_watch_ends_after_it_has_sent_the_latest_status() {
        let statuses = statuses();
        let mut watchers = [Some(Redis), Some(Deep), None].map(|name| watcher(&statuses, name));
        for watcher in &mut watchers {
            assert_eq!(read(watcher).len(), 1);
        }
        statuses.set(Redis, Serving);
        statuses.end_watches();
        let sent = watchers.map(|watcher| watcher.collect::<Vec<_>>().now_or_never());
        assert_eq!(sent, [Some(vec![Serving]), Some(vec![]), Some(vec![])]);
    }

    #[test]
    fn a_watch_that_begins_after_the_end_sends_one_status() {
        let statuses = statuses();
        statuses.end_watches();
        let watcher = watcher(&statuses, Some(Redis));
        let sent = watcher.collect::<Vec<_>>().now_or_never();
        assert_eq!(sent, Some(vec![NotServing]));
    }
}
