//! The accept loop on real sockets, with a clock that moves when all tasks wait.

use futures::future;
use http::{HeaderMap, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::service_fn;

use super::lifetime::GREETING_TIMEOUT;
use super::*;
use crate::admission::Admission;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

fn limits() -> ConnectionLimits {
    ConnectionLimits {
        max: 100,
        max_per_address: 0,
        ages: Ages {
            max_idle: None,
            max_age: None,
            grace: None,
        },
        proxies: Arc::default(),
        proxy_protocol: false,
    }
}

/// Serves calls that respond with nothing.
async fn start(limits: ConnectionLimits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let service = service_fn(|_| future::ready(Ok::<_, Infallible>(Response::new(Body::empty()))));
    tokio::spawn(serve(
        listener,
        service,
        Admission::new(0),
        limits,
        CancellationToken::new(),
    ));
    address
}

fn greeting() -> Vec<u8> {
    [PREFACE, SETTINGS].concat()
}

async fn connect(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut client = TcpStream::connect(address).await.expect("a connection");
    client.write_all(bytes).await.expect("sent");
    client
}

/// Returns how long the server keeps a client that sends only these bytes, at most a minute.
async fn time_until_closed(limits: ConnectionLimits, bytes: &[u8]) -> Duration {
    let mut client = connect(start(limits).await, bytes).await;
    let began_at = Instant::now();
    let mut received = Vec::new();
    let limit = Duration::from_secs(60);
    let _ = timeout(limit, client.read_to_end(&mut received)).await;
    began_at.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_greeting_is_disconnected() {
    for bytes in [&b""[..], b"PRI * HTTP/2.0", PREFACE] {
        let time = time_until_closed(limits(), bytes).await;
        assert_eq!(time.as_secs(), GREETING_TIMEOUT.as_secs());
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_greeted_may_be_silent() {
    let time = time_until_closed(limits(), &greeting()).await;
    assert_eq!(time.as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_also_if_the_client_ignores_goaway() {
    let mut limits = limits();
    limits.ages.max_idle = Some(Duration::from_secs(20));
    let time = time_until_closed(limits, &greeting()).await;
    assert_eq!(time.as_secs(), 25);
}

#[tokio::test(start_paused = true)]
async fn the_header_of_the_proxy_protocol_is_part_of_the_greeting() {
    let mut limits = limits();
    limits.proxies = Arc::new("127.0.0.1".parse().expect("a network"));
    limits.proxy_protocol = true;
    for bytes in [&b""[..], b"PROXY TCP4 ", b"PROXY UNKNOWN\r\n"] {
        let time = time_until_closed(limits.clone(), bytes).await;
        assert_eq!(time.as_secs(), GREETING_TIMEOUT.as_secs());
    }
    assert_eq!(time_until_closed(limits, &greeting()).await, Duration::ZERO);
}

#[test]
fn a_request_without_a_connection_has_one_of_its_own() {
    let connection = ClientConnection::of(&http::Extensions::new());
    assert!(connection.peer().is_unspecified());
    assert!(
        connection
            .client_of_call(&HeaderMap::new())
            .is_unspecified()
    );
}
