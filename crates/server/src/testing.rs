//! A minimal service and a minimal command line, for tests.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use clap::Parser;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use crate::config::ServiceSettings;
use crate::errors::Failure;

/// A command line with the settings of a service.
#[derive(Debug, Parser)]
#[command(name = "some-service")]
pub(crate) struct CommandLine {
    #[command(flatten)]
    settings: ServiceSettings,
}

impl CommandLine {
    pub(crate) fn settings(flags: &[&str]) -> Result<ServiceSettings, clap::Error> {
        let arguments = ["some-service"].iter().chain(flags);
        Self::try_parse_from(arguments).map(|line| line.settings)
    }
}

pub(crate) trait HandlerFuture:
    Future<Output = Result<(), Failure>> + Send + 'static
{
}

impl<F: Future<Output = Result<(), Failure>> + Send + 'static> HandlerFuture for F {}

type Action = Arc<dyn Fn() -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// A service whose methods all do the same.
#[derive(Clone)]
pub(crate) struct Handler {
    action: Action,
    /// The number of calls so far.
    pub(crate) calls: Arc<AtomicUsize>,
}

impl Handler {
    pub(crate) fn new<F: HandlerFuture>(action: impl Fn() -> F + Send + Sync + 'static) -> Self {
        Self {
            action: Arc::new(move || action().boxed()),
            calls: Arc::default(),
        }
    }
}

impl NamedService for Handler {
    const NAME: &'static str = "test.v1.TestService";
}

impl Service<Request<Body>> for Handler {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let result = (self.action)();
        async move {
            Ok(match result.await {
                Ok(()) => Response::new(Body::empty()),
                Err(failure) => Status::from(failure).into_http(),
            })
        }
        .boxed()
    }
}
