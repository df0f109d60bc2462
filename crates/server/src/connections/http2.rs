//! The settings of HTTP/2.

use std::time::Duration;

use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::edge::MAX_HEADER_BYTES;

/// The most calls and watches in flight on one connection; HTTP/2 makes the client hold back the
/// rest. RFC 9113 recommends at least 100, and proxies open more connections when they need more. A
/// call in flight takes some 6 KiB, so this bounds the memory that one connection can use.
const MAX_STREAMS: u32 = 128;

/// How long a connection may be silent before the server sends a PING, and how long the client has
/// to acknowledge it. Without them a client that vanished would keep its connection forever.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(60);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// The most bytes that a client may send on a stream, and on the connection, before a handler has
/// read them: the largest message, and four of them. hyper's default is 1 MiB for each.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 4 * STREAM_WINDOW;

/// The most bytes of a streamed response that wait for the client; hyper's default is 400 KiB. A
/// message is passed on as a whole, whatever its size.
const MAX_SEND_BUFFER: usize = 64 * 1024;

/// The streams that a client has reset and that the server has not accepted yet: h2's default. More
/// of them, a rapid reset, end the connection.
const MAX_PENDING_RESETS: usize = 20;
/// The streams that the server resets because of errors of the client; hyper's default. More of
/// them end the connection.
const MAX_ERROR_RESETS: usize = 1024;

pub(super) fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .adaptive_window(false)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(MAX_SEND_BUFFER)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_ERROR_RESETS)
        // h2 refuses longer headers with HTTP 431, which gRPC clients report as UNKNOWN. Between
        // the limit of the edge and this one they get a gRPC error.
        .max_header_list_size(2 * MAX_HEADER_BYTES);
    builder
}
