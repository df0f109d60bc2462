//! The probe of the command line.

use std::time::Duration;

use server::ServerUrl;
use server::health::{ProbeOutcome, probe};
use testkit::{TestRedis, eventually, free_address};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tonic::transport::Server as Http2;

use crate::client::is_in_time;
use crate::server::{Server, silent_listener};

const SECOND: Duration = Duration::from_secs(1);

/// Waits for this outcome and this message, in which `here` replaces the address.
async fn wait_for(address: &str, name: &str, outcome: ProbeOutcome, message: &str) {
    eventually(message, async || {
        run_probe(address, name).await == (outcome, message.to_owned())
    })
    .await;
}

async fn run_probe(address: &str, name: &str) -> (ProbeOutcome, String) {
    let url: ServerUrl = address.parse().expect("an address");
    let report = probe(&url, name, SECOND).await;
    (report.outcome, report.message.replace(address, "here"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_message_has_the_status_and_its_reason() {
    let redis = TestRedis::start();
    let server = Server::start(&redis.url("user-service"), None).await;
    for (name, outcome, message) in [
        ("", ProbeOutcome::Serving, "the server is SERVING"),
        ("redis", ProbeOutcome::Serving, "redis is SERVING"),
        ("readiness", ProbeOutcome::Serving, "readiness is SERVING"),
        (
            "peer",
            ProbeOutcome::NotServing,
            "peer is NOT_SERVING: no peer is set",
        ),
        (
            "deep",
            ProbeOutcome::NotServing,
            "deep is NOT_SERVING: the peer is not serving",
        ),
        (
            "moon",
            ProbeOutcome::NotServing,
            "here does not know the name \"moon\"",
        ),
    ] {
        wait_for(&server.address, name, outcome, message).await;
    }
    server.health.drain();
    let message = "the server is NOT_SERVING: the server is draining";
    wait_for(&server.address, "", ProbeOutcome::NotServing, message).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_message_has_the_reason_even_if_redis_and_the_peer_hang() {
    let mut redis = TestRedis::start();
    let (_listener, silent) = silent_listener().await;
    redis.freeze().expect("frozen");
    let message = "deep is NOT_SERVING: neither Redis nor the peer is serving";
    let expected = (ProbeOutcome::NotServing, message.to_owned());
    eventually("the first probe has the reason", async || {
        let server = Server::start(&redis.url("user-service"), Some(&silent)).await;
        run_probe(&server.address, "deep").await == expected
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_health_is_not_serving() {
    let address = free_address();
    let no_service = tonic::service::Routes::default();
    let serving = tokio::spawn(Http2::builder().add_routes(no_service).serve(address));
    let message = "here has no health service";
    wait_for(&address.to_string(), "", ProbeOutcome::NotServing, message).await;
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_listener_and_with_another_protocol_the_server_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let mail_server = listener.local_addr().expect("a local address").to_string();
    let greeting = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let greeting = b"220 mail.example.com ESMTP\r\n";
            stream.write_all(greeting).await.expect("written");
        }
    });
    let nobody = free_address().to_string();
    for address in [nobody, mail_server] {
        let message = "cannot connect to here";
        wait_for(&address, "deep", ProbeOutcome::Unreachable, message).await;
    }
    greeting.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_ends_at_its_timeout() {
    let (_listener, silent) = silent_listener().await;
    let message = "no answer from here within 1s";
    wait_for(&silent, "deep", ProbeOutcome::TimedOut, message).await;
    assert!(!is_in_time(run_probe(&silent, "deep"), SECOND).await);
    eventually("the probe ends in time", async || {
        is_in_time(run_probe(&silent, "deep"), SECOND * 3 / 2).await
    })
    .await;
}

#[test]
fn each_outcome_has_its_exit_code() {
    let outcomes = [
        ProbeOutcome::Serving,
        ProbeOutcome::NotServing,
        ProbeOutcome::Unreachable,
        ProbeOutcome::TimedOut,
    ];
    assert_eq!(outcomes.map(ProbeOutcome::exit_code), [0, 1, 2, 3]);
}
