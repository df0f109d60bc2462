//! The probe of the command line.

use std::time::Duration;

use server::ServerUrl;
use server::health::{ProbeOutcome, probe};
use testkit::{TestRedis, eventually, free_address};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tonic::transport::Server as Http2;

use crate::client::is_in_time;
use crate::server::Server;

const SECOND: Duration = Duration::from_secs(1);

/// Waits for this outcome and these words, in which `here` stands for the address.
async fn becomes(address: &str, name: &str, outcome: ProbeOutcome, words: &str) {
    eventually(words, async || {
        probed(address, name).await == (outcome, words.to_owned())
    })
    .await;
}

async fn probed(address: &str, name: &str) -> (ProbeOutcome, String) {
    let url: ServerUrl = address.parse().expect("an address");
    let probed = probe(&url, name, SECOND).await;
    (probed.outcome, probed.message.replace(address, "here"))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_a_name_is_serving() {
    let redis = TestRedis::start();
    let server = Server::start(&redis.url("user-service"), None).await;
    for (name, words) in [
        ("", "the server is SERVING"),
        ("redis", "redis is SERVING"),
        ("readiness", "readiness is SERVING"),
    ] {
        becomes(&server.address, name, ProbeOutcome::Serving, words).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_a_name_is_not_serving_and_why() {
    let redis = TestRedis::start();
    let server = Server::start(&redis.url("user-service"), None).await;
    for (name, words) in [
        ("peer", "peer is NOT_SERVING: no peer is set"),
        ("deep", "deep is NOT_SERVING: the peer is not serving"),
        ("moon", "here does not know the name \"moon\""),
    ] {
        becomes(&server.address, name, ProbeOutcome::NotServing, words).await;
    }
    server.health.drain();
    let words = "the server is NOT_SERVING: the server is draining";
    becomes(&server.address, "", ProbeOutcome::NotServing, words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_has_time_to_say_why_also_when_deep_hangs() {
    let mut redis = TestRedis::start();
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = silent.local_addr().expect("its address").to_string();
    redis.freeze().expect("frozen");
    let words = "deep is NOT_SERVING: neither Redis nor the peer is serving";
    eventually("the first probe says why", async || {
        let server = Server::start(&redis.url("user-service"), Some(&address)).await;
        probed(&server.address, "deep").await == (ProbeOutcome::NotServing, words.to_owned())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_health_is_not_serving() {
    let address = free_address();
    let nothing = tonic::service::Routes::default();
    let serving = tokio::spawn(Http2::builder().add_routes(nothing).serve(address));
    let words = "here has no health service";
    becomes(&address.to_string(), "", ProbeOutcome::NotServing, words).await;
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_it_cannot_connect() {
    let address = free_address().to_string();
    becomes(
        &address,
        "deep",
        ProbeOutcome::Unreachable,
        "cannot connect to here",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_a_server_that_speaks_something_else_it_cannot_connect() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    let speaking = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let greeting = b"220 mail.example.com ESMTP\r\n";
            stream.write_all(greeting).await.expect("written");
        }
    });
    becomes(
        &address,
        "deep",
        ProbeOutcome::Unreachable,
        "cannot connect to here",
    )
    .await;
    speaking.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_wait_longer_than_it_was_told() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = silent.local_addr().expect("its address").to_string();
    let words = "no answer from here within 1s";
    becomes(&address, "deep", ProbeOutcome::TimedOut, words).await;
    assert!(!is_in_time(probed(&address, "deep"), SECOND).await);
    eventually("it ends in time", async || {
        is_in_time(probed(&address, "deep"), SECOND * 3 / 2).await
    })
    .await;
}

#[test]
fn each_outcome_has_its_exit_code() {
    let codes = [
        ProbeOutcome::Serving,
        ProbeOutcome::NotServing,
        ProbeOutcome::Unreachable,
        ProbeOutcome::TimedOut,
    ]
    .map(ProbeOutcome::exit_code);
    assert_eq!(codes, [0, 1, 2, 3]);
}
