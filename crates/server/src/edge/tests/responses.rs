//! Which response holds a place, and for how long.

use http_body_util::BodyExt;
use prost::bytes::Bytes;

use super::*;

fn open() -> Request<Body> {
    request(&format!("/{}/Open", Handler::NAME), &[])
}

async fn respond(
    edge: &(impl Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone),
    request: Request<Body>,
) -> Response<Body> {
    let response = edge.clone().oneshot(request).await;
    response.unwrap_or_else(|never| match never {})
}

fn code(response: &Response<Body>) -> Code {
    Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code())
}

async fn message_of(response: Response<Body>) -> Bytes {
    let mut body = response.into_body();
    let frame = body.frame().await.expect("a frame").expect("no error");
    frame.into_data().expect("data")
}

fn held(connection: &ClientConnection) -> u32 {
    let held = connection.usage().held(Use::Response);
    held.load(std::sync::atomic::Ordering::Relaxed)
}

#[tokio::test]
async fn a_message_keeps_its_place_until_it_has_been_sent() {
    let edge = edge(Handler::of_message(&[1; 10]), 1).into_service();
    let connection = ClientConnection::of(&http::Extensions::new());
    let call = async || {
        let mut request = open();
        request.extensions_mut().insert(connection.clone());
        respond(&edge, request).await
    };
    let mut unread = Vec::new();
    let refused = loop {
        let response = call().await;
        match code(&response) {
            Code::Ok => unread.push(message_of(response).await),
            refused => break refused,
        }
    };
    assert_eq!((refused, unread.len()), (Code::ResourceExhausted, 227));
    unread.clear();
    assert_eq!(code(&call().await), Code::Ok);
}

#[tokio::test]
async fn an_error_keeps_its_place_until_its_headers_have_been_sent() {
    let refuse = async || Err(Rejection::EmailTaken.into());
    let edge = edge(Handler::new(refuse), 1).into_service();
    let connection = ClientConnection::of(&http::Extensions::new());
    let mut request = open();
    request.extensions_mut().insert(connection.clone());
    let unread = respond(&edge, request).await;
    assert_eq!((code(&unread), held(&connection)), (Code::AlreadyExists, 1));
    drop(unread);
    assert_eq!(held(&connection), 0);
}

#[tokio::test]
async fn a_large_response_takes_more_places() {
    let size = 1100 * 8 * 1024;
    let edge = edge(Handler::of_message(&vec![1; size]), 100).into_service();
    assert_eq!(code(&respond(&edge, open()).await), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_large_response_is_compressed_for_a_client_that_accepts_gzip() {
    for (size, accepts, is_compressed) in [
        (100_000, "gzip", true),
        (10_000, "identity, deflate, gzip", true),
        (100, "gzip", false),
        (100_000, "identity", false),
        (100_000, "xgzip", false),
    ] {
        let edge = edge(Handler::of_message(&vec![1; size]), 1000).into_service();
        let mut request = open();
        let accepts = HeaderValue::from_static(accepts);
        request
            .headers_mut()
            .insert("grpc-accept-encoding", accepts);
        let response = respond(&edge, request).await;
        let encoding = response.headers().get("grpc-encoding").cloned();
        let message = message_of(response).await;
        let length = u32::from_be_bytes(message[1..5].try_into().expect("4 bytes"));
        assert_eq!(length as usize, message.len() - 5);
        if is_compressed {
            assert_eq!(encoding.expect("a header"), "gzip");
            assert_eq!(message[0], 1);
            let mut plain = Vec::new();
            let mut decoder = flate2::read::GzDecoder::new(&message[5..]);
            std::io::Read::read_to_end(&mut decoder, &mut plain).expect("gzip");
            assert_eq!(plain, vec![1; size]);
        } else {
            assert_eq!((encoding, message[0], message.len()), (None, 0, size + 5));
        }
    }
}

#[tokio::test]
async fn a_request_that_is_no_call_of_grpc_gets_a_status_of_http() {
    for path in [
        &format!("/{}/Open", Handler::NAME),
        "/grpc.health.v1.Health/Check",
        "/x",
    ] {
        for (method, content_type, status) in [
            ("POST", "application/json", 415),
            ("POST", "text/plain", 415),
            ("GET", "application/grpc", 405),
        ] {
            let mut request = request(path, &[("content-type", content_type)]);
            *request.method_mut() = method.parse().expect("a method");
            let result = send(succeed, 100, request).await;
            assert_eq!(
                (result.response.status().as_u16(), result.calls),
                (status, 0)
            );
        }
    }
}

#[tokio::test]
async fn a_connection_has_at_most_32_watches_and_check_is_always_answered() {
    let edge = edge(Handler::new(succeed), 0).into_service();
    let connection = ClientConnection::of(&http::Extensions::new());
    let with_connection = |method: &str| {
        let mut request = message(&format!("/grpc.health.v1.Health/{method}"), &[]);
        request.extensions_mut().insert(connection.clone());
        request
    };
    let mut watches = Vec::new();
    for _ in 0..32 {
        watches.push(respond(&edge, with_connection("Watch")).await);
        assert_eq!(code(watches.last().expect("one")), Code::Ok);
    }
    let refused = respond(&edge, with_connection("Watch")).await;
    assert_eq!(code(&refused), Code::ResourceExhausted);
    assert_eq!(
        code(&respond(&edge, with_connection("Check")).await),
        Code::Ok
    );
    watches.pop();
    assert_eq!(
        code(&respond(&edge, with_connection("Watch")).await),
        Code::Ok
    );
}

#[tokio::test]
async fn a_watch_whose_client_does_not_read_holds_one_status() {
    let edge = edge(Handler::new(succeed), 0).into_service();
    let watch = message("/grpc.health.v1.Health/Watch", &[0x0a, 1, b'x']);
    let mut body = respond(&edge, watch).await.into_body();
    let unread = body.frame().await.expect("a frame").expect("no error");
    let mut next = std::pin::pin!(body.frame());
    assert!(futures::poll!(&mut next).is_pending());
    drop(unread);
    assert!(
        futures::poll!(&mut next).is_pending(),
        "the status is unchanged"
    );
}
