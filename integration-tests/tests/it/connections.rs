//! The limits of connections, on raw sockets.

use std::net::SocketAddr;
use std::time::Duration;

use api::health::HealthCheckRequest;
use api::health::health_client::HealthClient;
use http::HeaderValue;
use integration_tests::{Startlist, assert_rejected, channel_to, reason};
use testkit::{TIMEOUT, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::{Request, Streaming};

use crate::raw;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const GOAWAY: u8 = 7;

/// The greeting of a client: the preface and SETTINGS.
fn greeting() -> Vec<u8> {
    [PREFACE, &frame(4, &[])].concat()
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let head = [length[1], length[2], length[3], kind, 0, 0, 0, 0, 0];
    [&head[..], payload].concat()
}

fn address_of(app: &Startlist) -> SocketAddr {
    let address = app.user_url().trim_start_matches("http://");
    address.parse().expect("an address")
}

async fn greeted(app: &Startlist) -> TcpStream {
    let mut client = TcpStream::connect(address_of(app))
        .await
        .expect("a connection");
    client.write_all(&greeting()).await.expect("sent");
    client
}

/// Waits until the server closes the connection, and returns the types of the frames before.
async fn frames_until_closed(client: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset closes it too.
    let end = timeout(TIMEOUT, client.read_to_end(&mut bytes)).await;
    let _ = end.expect("the server closes the connection");
    let mut kinds = Vec::new();
    let mut rest = &bytes[..];
    while let [a, b, c, kind, _, _, _, _, _, payload @ ..] = rest {
        kinds.push(*kind);
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        rest = payload.get(length..).unwrap_or_default();
    }
    kinds
}

/// Opens a watch of the health on a connection of its own, and reads its first status.
async fn watch(app: &Startlist) -> Streaming<api::health::HealthCheckResponse> {
    let mut client = HealthClient::new(channel_to(app.user_url()));
    let watch = client.watch(HealthCheckRequest::default()).await;
    let mut watch = watch.expect("a watch").into_inner();
    watch.message().await.expect("no error").expect("a status");
    watch
}

#[tokio::test]
async fn a_flood_of_frames_that_carry_no_call_is_cut_off() {
    let app = Startlist::start().await;
    for (kind, payload) in [
        (6, &[0; 8][..]),
        (4, &[]),
        (2, &[0, 0, 0, 1, 0]),
        (8, &[0, 0, 0, 1]),
        (99, b"unknown"),
    ] {
        let mut client = greeted(&app).await;
        let flood = frame(kind, payload).repeat(1_000);
        let (mut reader, mut writer) = client.split();
        let mut received = Vec::new();
        let sending = async { while writer.write_all(&flood).await.is_ok() {} };
        let reading = async { while matches!(reader.read_buf(&mut received).await, Ok(1..)) {} };
        let both = async { tokio::join!(sending, reading) };
        let end = timeout(TIMEOUT, both).await;
        end.unwrap_or_else(|_| panic!("a flood of frames of the type {kind} goes on"));
    }
}

#[tokio::test]
async fn headers_above_8_kib_are_refused_on_every_path() {
    let app = Startlist::start().await;
    for path in [
        "/startlist.user.v1.UserService/ListCompetitions",
        "/grpc.health.v1.Health/Check",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/startlist.diagnostics.v1.DiagnosticsService/GetHealthReport",
    ] {
        for bytes in [8 * 1024, 15 * 1024] {
            let mut request = Request::new(Vec::new());
            let value = "x".repeat(bytes).parse().expect("ASCII");
            request.metadata_mut().insert("x-long", value);
            let reply = raw::send(app.user_channel(), path, request).await;
            assert_rejected(reply, reason::HEADERS_TOO_LARGE);
        }
    }
    let mut request = Request::new(Vec::new());
    let value = "x".repeat(7 * 1024).parse().expect("ASCII");
    request.metadata_mut().insert("x-long", value);
    let path = "/startlist.user.v1.UserService/ListCompetitions";
    raw::send(app.user_channel(), path, request)
        .await
        .expect("a list");
}

#[tokio::test]
async fn silent_connections_keep_no_client_out() {
    for limit in ["--max-connections", "--max-connections-per-address"] {
        let app = Startlist::with(&[limit, "3"]).await;
        let mut watch = watch(&app).await;
        let mut flood = Vec::new();
        for _ in 0..20 {
            flood.push(greeted(&app).await);
            app.user_service()
                .list_competitions(api::user::ListCompetitionsRequest::default())
                .await
                .expect("a list");
        }
        for closed in &mut flood[..18] {
            frames_until_closed(closed).await;
        }
        let still_open = timeout(Duration::ZERO, watch.message()).await;
        still_open.expect_err("the watch is open");
    }
}

#[tokio::test]
async fn a_connection_at_its_maximum_age_gets_goaway_and_its_calls_the_grace_period() {
    let flags = [
        "--max-connection-age",
        "100ms",
        "--max-connection-age-grace",
        "200ms",
    ];
    let app = Startlist::with(&flags).await;
    let mut watch = watch(&app).await;
    let mut silent = greeted(&app).await;
    assert!(frames_until_closed(&mut silent).await.contains(&GOAWAY));
    let end = timeout(TIMEOUT, watch.message()).await;
    end.expect("the watch ends").expect_err("it is cut off");
    // A client connects anew by itself.
    let list = async || {
        let request = api::user::ListCompetitionsRequest::default();
        app.user_service().list_competitions(request).await.is_ok()
    };
    eventually("the client is served on a new connection", list).await;
}

#[tokio::test]
async fn an_idle_connection_gets_goaway_and_one_with_a_call_does_not() {
    let app = Startlist::with(&["--max-connection-idle", "100ms"]).await;
    let mut watch = watch(&app).await;
    let mut silent = greeted(&app).await;
    assert!(frames_until_closed(&mut silent).await.contains(&GOAWAY));
    let still_open = timeout(Duration::ZERO, watch.message()).await;
    still_open.expect_err("the watch is open");
}

/// Signs in with a wrong password through a proxy that sends these bytes and headers. Returns the
/// reason of the refusal.
async fn wrong_sign_in(
    app: &Startlist,
    before: &str,
    header: Option<(&'static str, &str)>,
) -> String {
    let address = address_of(app);
    let before = before.as_bytes().to_vec();
    let connect = tower::service_fn(move |_| {
        let before = before.clone();
        async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(&before).await?;
            Ok::<_, std::io::Error>(hyper_util::rt::TokioIo::new(stream))
        }
    });
    let endpoint = tonic::transport::Endpoint::from_static("http://startlist");
    let channel = endpoint.connect_with_connector_lazy(connect);
    let request = api::user::SignInRequest {
        email: "nobody@example.org".to_owned(),
        password: "a wrong password".to_owned(),
    };
    let mut message = Request::new(prost::Message::encode_to_vec(&request));
    if let Some((name, value)) = header {
        let value = HeaderValue::from_str(value).expect("a value");
        let value = value.to_str().expect("ASCII").parse().expect("ASCII");
        message.metadata_mut().insert(name, value);
    }
    let path = "/startlist.user.v1.UserService/SignIn";
    let reply = raw::send(channel, path, message).await;
    integration_tests::code_and_reason(&reply).1
}

const WRONG: &str = "UNAUTHENTICATED";
const BLOCKED: &str = "TOO_MANY_SIGN_INS";

#[tokio::test]
async fn behind_a_trusted_proxy_the_limits_count_the_client_by_its_headers() {
    let flags = [
        "--network-sign-in-failures",
        "1",
        "--trusted-proxies",
        "127.0.0.0/8",
    ];
    let app = Startlist::with(&flags).await;
    for (header, value, expected) in [
        ("x-forwarded-for", "192.0.2.1", WRONG),
        ("x-forwarded-for", "6.6.6.6, 192.0.2.9, 127.0.0.7", BLOCKED),
        ("forwarded", "for=\"192.0.2.1:4711\";proto=https", BLOCKED),
        ("x-forwarded-for", "198.51.100.1", WRONG),
        ("forwarded", "for=\"[2001:db8::1]\"", WRONG),
        ("x-forwarded-for", "2001:db8::2", BLOCKED),
    ] {
        let reason = wrong_sign_in(&app, "", Some((header, value))).await;
        assert_eq!(reason, expected, "{header}: {value}");
    }
}

#[tokio::test]
async fn the_headers_of_a_client_that_is_no_trusted_proxy_are_not_believed() {
    let flags = [
        "--network-sign-in-failures",
        "1",
        "--trusted-proxies",
        "10.0.0.0/8",
    ];
    let app = Startlist::with(&flags).await;
    let reason = wrong_sign_in(&app, "", Some(("x-forwarded-for", "192.0.2.1"))).await;
    assert_eq!(reason, WRONG);
    let reason = wrong_sign_in(&app, "", Some(("x-forwarded-for", "198.51.100.1"))).await;
    assert_eq!(reason, BLOCKED);
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_limits_count_the_client_by_the_proxy_protocol() {
    let flags = [
        "--network-sign-in-failures",
        "1",
        "--trusted-proxies",
        "127.0.0.1/32",
        "--proxy-protocol",
        "true",
    ];
    let app = Startlist::with(&flags).await;
    let v1 = "PROXY TCP4 192.0.2.1 10.0.0.1 4711 443\r\n";
    let v2 = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01\x02\x03\x04\x0a\0\0\x01\x12\x67\x01\x2c";
    assert_eq!(wrong_sign_in(&app, v1, None).await, WRONG);
    assert_eq!(wrong_sign_in(&app, v1, None).await, BLOCKED);
    assert_eq!(wrong_sign_in(&app, v2, None).await, WRONG);
    assert_eq!(wrong_sign_in(&app, v2, None).await, BLOCKED);

    let mut without = greeted(&app).await;
    assert!(frames_until_closed(&mut without).await.is_empty());
}
