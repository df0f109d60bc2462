//! A service of three lines, for the tests of what is mounted around it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use crate::errors::Failure;

/// What a handler of the tests does.
pub(crate) trait Answered: Future<Output = Result<(), Failure>> + Send + 'static {}

impl<F: Future<Output = Result<(), Failure>> + Send + 'static> Answered for F {}

type Act = Arc<dyn Fn() -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// A service whose every method does the same.
#[derive(Clone)]
pub(crate) struct Handler {
    act: Act,
    /// How often it was called.
    pub(crate) calls: Arc<AtomicUsize>,
}

impl Handler {
    pub(crate) fn new<F: Answered>(act: impl Fn() -> F + Send + Sync + 'static) -> Self {
        Self {
            act: Arc::new(move || act().boxed()),
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
        let answer = (self.act)();
        async move {
            Ok(match answer.await {
                Ok(()) => Response::new(Body::empty()),
                Err(failure) => Status::from(failure).into_http(),
            })
        }
        .boxed()
    }
}
