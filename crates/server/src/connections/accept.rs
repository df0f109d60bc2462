//! The accept loop, and the task of each connection.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::Abortable;
use http::{Request, Response};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;
use tower::Service;
use tracing::{debug, info, warn};

use super::activity::{Activity, OpenStream};
use super::client::ClientConnection;
use super::http2::builder;
use super::lifetime::{Ages, GREETING_TIMEOUT, Lifetime, Step};
use super::shares::{Limited, Place, Shares};
use super::starting::Starting;
use super::watched::Watched;
use crate::admission::Admission;
use crate::proxies::{self, TrustedProxies};

/// The pause after `accept` has failed, for example because the process has no file descriptor
/// left. Retrying at once would keep a core busy.
const ACCEPT_RETRY_PAUSE: Duration = Duration::from_millis(100);

/// The limits of the connections of one listener.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionLimits {
    pub(crate) max: u32,
    /// 0 = no limit. It does not apply to trusted proxies.
    pub(crate) max_per_address: u32,
    pub(crate) ages: Ages,
    pub(crate) proxies: Arc<TrustedProxies>,
    /// Whether trusted proxies send the header of the PROXY protocol.
    pub(crate) proxy_protocol: bool,
}

/// What all connections of a listener share.
struct Server<S> {
    http2: http2::Builder<TokioExecutor>,
    service: S,
    admission: Arc<Admission>,
    limits: ConnectionLimits,
    drain: CancellationToken,
    starting: Starting,
}

/// Serves connections until `drain`. Then it stops listening, sends the clients away with GOAWAY,
/// and returns when the last connection has ended.
pub(crate) async fn serve<S>(
    listener: TcpListener,
    service: S,
    admission: Arc<Admission>,
    limits: ConnectionLimits,
    drain: CancellationToken,
) where
    S: CallService,
{
    let shares = Shares::new(limits.max, limits.max_per_address);
    let server = Arc::new(Server {
        http2: builder(),
        service,
        admission,
        limits,
        drain: drain.clone(),
        starting: Starting::default(),
    });
    let connections = TaskTracker::new();
    // A task of its own, so that it takes turns with the connections. Dropping the set ends it.
    let mut accepting = JoinSet::new();
    accepting.spawn(accept_all(listener, server, shares, connections.clone()));
    tokio::select! {
        _ = accepting.join_next() => {}
        () = drain.cancelled() => {}
    }
    accepting.shutdown().await;
    connections.close();
    connections.wait().await;
}

async fn accept_all<S: CallService>(
    listener: TcpListener,
    server: Arc<Server<S>>,
    shares: Arc<Shares>,
    connections: TaskTracker,
) {
    loop {
        let (stream, peer) = accept_one(&listener).await;
        let peer = peer.ip().to_canonical();
        let activity = Arc::new(Activity::new(Instant::now()));
        let admitted = shares.admit(peer, server.limited(peer), Arc::clone(&activity));
        let Some((place, registration)) = admitted else {
            debug!(address = %peer, "refused a connection at the limit");
            continue;
        };
        let connection = Arc::clone(&server).serve(stream, peer, activity, place);
        connections.spawn(Abortable::new(connection, registration));
        // Let the connection read what its client sent already. Otherwise a burst of others could
        // take its place first.
        tokio::task::yield_now().await;
    }
}

async fn accept_one(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Responses are small and must not wait until a packet is full. If this fails, the
                // connection is closed already.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_RETRY_PAUSE).await;
            }
        }
    }
}

/// The service of a listener: always ready, and without errors.
pub trait CallService:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> CallService for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

impl<S: CallService> Server<S> {
    fn limited(&self, peer: IpAddr) -> Limited {
        if self.limits.proxies.trusts(peer) {
            Limited::OnlyInTotal
        } else {
            Limited::PerAddress
        }
    }

    async fn serve(
        self: Arc<Self>,
        mut stream: TcpStream,
        peer: IpAddr,
        activity: Arc<Activity>,
        mut place: Place,
    ) {
        let client = match self.client_behind(peer, &mut stream).await {
            Ok(client) => client,
            // A proxy that checks whether the port is open.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return,
            Err(error) => {
                info!(address = %peer, reason = %error, "closed a connection");
                return;
            }
        };
        if client != peer && !place.move_to(client) {
            debug!(address = %client, "refused a connection at the limit");
            return;
        }
        let client = ClientConnection::new(peer, client, Arc::clone(&self.limits.proxies));
        let address = client.client();
        // TLS will be accepted here.
        let starting = self.starting.clone();
        let stream = Watched::new(
            stream,
            client.clone(),
            Arc::clone(&activity),
            starting.clone(),
        );
        let service = self.service.clone();
        let connected = client.clone();
        let calls = hyper::service::service_fn({
            let activity = Arc::clone(&activity);
            move |request: Request<Incoming>| {
                let stream = OpenStream::new(&activity);
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(client.clone());
                let response = service.clone().call(request);
                let not_started = starting.call();
                async move {
                    drop(not_started);
                    response
                        .await
                        .map(|response| response.map(|body| open(body, stream)))
                }
            }
        });
        let connection = self.http2.serve_connection(TokioIo::new(stream), calls);
        let connection = pin!(connection);
        let followed = self.follow(connection, &activity, address, |connection| {
            connection.graceful_shutdown();
        });
        tokio::select! {
            biased;
            () = followed => {}
            () = self.admission.must_close(connected.usage()) => {
                info!(%address, "closed a connection whose client does not read");
            }
        }
    }

    /// Returns the client's address from the header of the PROXY protocol, if one is expected.
    async fn client_behind(&self, peer: IpAddr, stream: &mut TcpStream) -> io::Result<IpAddr> {
        if !self.limits.proxy_protocol || !self.limits.proxies.trusts(peer) {
            return Ok(peer);
        }
        let client = timeout(GREETING_TIMEOUT, proxies::read_header(stream)).await??;
        Ok(client.map_or(peer, |client| client.to_canonical()))
    }

    /// Drives the connection until it ends or its lifetime is over. `goaway` lets its streams end
    /// and accepts no new ones.
    async fn follow<C: Future<Output = hyper::Result<()>>>(
        &self,
        mut connection: Pin<&mut C>,
        activity: &Activity,
        address: IpAddr,
        goaway: impl Fn(Pin<&mut C>),
    ) {
        let random = RandomState::new().hash_one(0);
        let mut lifetime = Lifetime::new(self.limits.ages, activity.accepted_at(), random);
        let mut next_check = pin!(sleep_until(Instant::now() + GREETING_TIMEOUT));
        let mut drain = pin!(self.drain.cancelled());
        let mut is_draining = false;
        loop {
            tokio::select! {
                biased;
                result = &mut connection => {
                    if let Err(error) = result {
                        log_failure(address, &error);
                    }
                    return;
                }
                () = &mut drain, if !is_draining => {
                    is_draining = true;
                    lifetime.goaway(Instant::now(), activity);
                    goaway(connection.as_mut());
                    next_check.as_mut().reset(Instant::now());
                }
                () = &mut next_check => match lifetime.check(Instant::now(), activity) {
                    Step::Wait(until) => next_check.as_mut().reset(until),
                    Step::Goaway => {
                        goaway(connection.as_mut());
                        next_check.as_mut().reset(Instant::now());
                    }
                    Step::Close(reason) => {
                        debug!(%address, reason, "closed a connection");
                        return;
                    }
                }
            }
        }
    }
}

/// Logs why a connection ended early. It is worth a line if the server ended it, because the client
/// broke the protocol or a limit of h2.
fn log_failure(address: IpAddr, error: &hyper::Error) {
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<h2::Error>());
    match cause {
        Some(cause) if cause.is_go_away() && cause.is_library() => {
            info!(%address, reason = %cause, "closed a connection");
        }
        _ => debug!(%address, %error, "a connection failed"),
    }
}

/// The body of a response, during which its stream is open.
struct OpenBody {
    body: Body,
    _stream: OpenStream,
}

fn open(body: Body, stream: OpenStream) -> OpenBody {
    OpenBody {
        body,
        _stream: stream,
    }
}

impl HttpBody for OpenBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
