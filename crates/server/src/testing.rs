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

/// The message of a response, with its prefix.
type Message = Option<Arc<Vec<u8>>>;

/// A service whose methods all do the same.
#[derive(Clone)]
pub(crate) struct Handler {
    action: Action,
    message: Message,
    /// The number of calls so far.
    pub(crate) calls: Arc<AtomicUsize>,
}

impl Handler {
    pub(crate) fn new<F: HandlerFuture>(action: impl Fn() -> F + Send + Sync + 'static) -> Self {
        Self {
            action: Arc::new(move || action().boxed()),
            message: None,
            calls: Arc::default(),
        }
    }

    /// A service whose methods succeed with this message.
    pub(crate) fn of_message(content: &[u8]) -> Self {
        let length = u32::try_from(content.len()).expect("short").to_be_bytes();
        let message = [&[0][..], &length, content].concat();
        Self {
            message: Some(Arc::new(message)),
            ..Self::new(async || Ok(()))
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
        let message = self.message.clone();
        async move {
            Ok(match result.await {
                Ok(()) => Response::new(message.map_or_else(Body::empty, |message| {
                    Body::new(http_body_util::Full::from(message.to_vec()))
                })),
                Err(failure) => Status::from(failure).into_http(),
            })
        }
        .boxed()
    }
}
