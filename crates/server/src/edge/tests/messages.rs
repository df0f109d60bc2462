//! How the message of a call arrives.

use std::io;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use prost::bytes::Bytes;

use super::*;
use std::io::Write;

/// Returns a body that sends these parts, then breaks off or never ends.
fn partial(parts: Vec<Vec<u8>>, breaks_off: bool) -> Body {
    let parts = parts
        .into_iter()
        .map(|part| Ok(Frame::data(Bytes::from(part))));
    let end = if breaks_off {
        stream::iter([Err(io::Error::from(io::ErrorKind::ConnectionReset))]).left_stream()
    } else {
        stream::pending().right_stream()
    };
    Body::new(StreamBody::new(stream::iter(parts).chain(end)))
}

fn open_with(body: Body) -> Request<Body> {
    request(&open_path(), &[]).map(|_| body)
}

fn open_path() -> String {
    format!("/{}/Open", Handler::NAME)
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).expect("in memory");
    encoder.finish().expect("in memory")
}

fn with_encoding(encoding: &str, body: Vec<u8>) -> Request<Body> {
    let mut request = with_body(&report_path(), body);
    let encoding = HeaderValue::from_str(encoding).expect("a value");
    request.headers_mut().insert("grpc-encoding", encoding);
    request
}

#[tokio::test]
async fn a_call_has_exactly_one_complete_message() {
    let two = [frame(0, b""), frame(0, b"")].concat();
    for invalid in [
        vec![],
        vec![0; 4],
        vec![0, 0, 0, 0, 1],
        two,
        frame(2, b""),
        frame(1, b""),
    ] {
        let result = send(succeed, 100, with_body(&open_path(), invalid.clone())).await;
        assert_eq!(
            (result.reason().as_str(), result.calls),
            ("MALFORMED_MESSAGE", 0),
            "{invalid:?}"
        );
    }
    let parts = frame(0, &[8, 1])
        .into_iter()
        .map(|byte| Ok::<_, io::Error>(Frame::data(Bytes::from(vec![byte]))));
    let body = Body::new(StreamBody::new(stream::iter(parts)));
    let in_parts = request(&report_path(), &[]).map(|_| body);
    assert_eq!(send(succeed, 100, in_parts).await.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_message_has_5_seconds_and_no_more_than_the_deadline() {
    for parts in [vec![], vec![vec![0, 0, 0, 0, 9]]] {
        let began_at = Instant::now();
        let result = send(succeed, 100, open_with(partial(parts.clone(), false))).await;
        assert_eq!((result.code(), result.calls), (Code::DeadlineExceeded, 0));
        assert_eq!(result.reason(), "MESSAGE_TIMEOUT");
        assert_eq!(result.write_outcome().as_deref(), Some("NOT_APPLIED"));
        assert_eq!(began_at.elapsed().as_secs(), 5);
    }
    let mut request = open_with(partial(vec![], false));
    let timeout = HeaderValue::from_static("100m");
    request.headers_mut().insert("grpc-timeout", timeout);
    let result = send(succeed, 100, request).await;
    assert_eq!(result.reason(), "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn a_message_that_is_not_complete_takes_no_place_of_a_call() {
    let edge = edge(Handler::new(succeed), 1).into_service();
    let incomplete: Vec<_> = (0..100)
        .map(|_| edge.clone().oneshot(open_with(partial(vec![], false))))
        .collect();
    let mut incomplete = futures::future::join_all(incomplete);
    assert!(futures::poll!(&mut incomplete).is_pending());
    let response = edge.oneshot(request(&open_path(), &[])).await;
    let response = response.unwrap_or_else(|never| match never {});
    assert!(Status::from_header_map(response.headers()).is_none());
}

#[tokio::test]
async fn one_connection_has_a_share_of_the_incomplete_messages() {
    let edge = edge(Handler::new(succeed), 100).into_service();
    let connection = ClientConnection::of(&http::Extensions::new());
    let mut refused = 0;
    let mut waiting = Vec::new();
    for _ in 0..300 {
        let mut request = open_with(partial(vec![], false));
        request.extensions_mut().insert(connection.clone());
        let mut call = Box::pin(edge.clone().oneshot(request));
        match futures::poll!(&mut call) {
            std::task::Poll::Pending => waiting.push(call),
            std::task::Poll::Ready(_) => refused += 1,
        }
    }
    assert_eq!((waiting.len(), refused), (227, 73));
}

#[tokio::test]
async fn a_client_that_breaks_off_has_cancelled_its_call() {
    let result = send(succeed, 100, open_with(partial(vec![vec![0, 0]], true))).await;
    assert_eq!((result.code(), result.calls), (Code::Cancelled, 0));
}

#[tokio::test]
async fn a_compressed_message_is_decompressed() {
    let compressed = frame(1, &gzip(&[8, 1]));
    assert_eq!(
        send(succeed, 100, with_encoding("gzip", compressed))
            .await
            .code(),
        Code::Ok
    );
    for encoding in ["gzip", "identity"] {
        let plain = with_encoding(encoding, frame(0, &[8, 1]));
        assert_eq!(send(succeed, 100, plain).await.code(), Code::Ok);
    }
    for invalid in [&b""[..], b"no gzip", &gzip(&[8, 1])[..12]] {
        let result = send(succeed, 100, with_encoding("gzip", frame(1, invalid))).await;
        assert_eq!(result.reason(), "MALFORMED_MESSAGE", "{invalid:?}");
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_after_decompression_is_refused() {
    let bomb = gzip(&vec![0; 40 << 20]);
    assert!(bomb.len() < MAX_MESSAGE_BYTES);
    for content in [bomb, gzip(&vec![0; MAX_MESSAGE_BYTES + 1])] {
        let result = send(succeed, 100, with_encoding("gzip", frame(1, &content))).await;
        assert_eq!(result.code(), Code::ResourceExhausted);
        assert_eq!(result.reason(), "MESSAGE_TOO_LARGE");
    }
}

#[tokio::test]
async fn an_unsupported_compression_is_unimplemented() {
    for encoding in ["deflate", "zstd", "snappy", ""] {
        let result = send(succeed, 100, with_encoding(encoding, frame(0, &[]))).await;
        assert_eq!(result.code(), Code::Unimplemented);
        assert_eq!(result.reason(), "UNKNOWN_COMPRESSION");
        let supported = &result.response.headers()["grpc-accept-encoding"];
        assert_eq!(supported, "identity,gzip");
    }
}
