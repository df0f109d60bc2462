//! The probe of the command line.

use std::{net::SocketAddr, time::Duration};

use server::health::{Outcome, ServerUrl, probe};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};
use tonic::transport::Server as Http2;

use crate::{
    client::{eventually, timed},
    redis::{Redis, free_port},
    server::Server,
};

const SECOND: Duration = Duration::from_secs(1);

/// The outcome and the words, with `here` for the address.
async fn probed(address: &str, name: &str) -> (Outcome, String) {
    let url: ServerUrl = address.parse().expect("an address");
    let probed = probe(&url, name, SECOND).await;
    (probed.outcome, probed.words.replace(address, "here"))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_a_name_is_serving() {
    let redis = Redis::start();
    let server = Server::start(&redis.url(), None).await;
    let client = server.client().await;
    eventually("readiness", async || client.is_serving("readiness").await).await;
    for (name, words) in [
        ("", "the server is SERVING"),
        ("redis", "redis is SERVING"),
        ("readiness", "readiness is SERVING"),
    ] {
        let expected = (Outcome::Serving, words.to_owned());
        assert_eq!(probed(&server.address, name).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_a_name_is_not_serving_and_why() {
    let redis = Redis::start();
    let server = Server::start(&redis.url(), None).await;
    let client = server.client().await;
    eventually("redis is up", async || client.is_serving("redis").await).await;
    for (name, words) in [
        ("peer", "peer is NOT_SERVING: no peer is set"),
        ("deep", "deep is NOT_SERVING: the peer is not serving"),
        ("moon", "here does not know the name \"moon\""),
    ] {
        let expected = (Outcome::NotServing, words.to_owned());
        assert_eq!(probed(&server.address, name).await, expected);
    }
    server.health.drain();
    let expected = (
        Outcome::NotServing,
        "the server is NOT_SERVING: the server is draining".into(),
    );
    assert_eq!(probed(&server.address, "").await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_has_time_to_say_why_also_when_deep_hangs() {
    let mut redis = Redis::start();
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = silent.local_addr().expect("its address").to_string();
    redis.stop();
    let server = Server::start(&redis.url(), Some(&address)).await;
    let words = "deep is NOT_SERVING: neither Redis nor the peer is serving";
    let expected = (Outcome::NotServing, words.to_owned());
    assert_eq!(probed(&server.address, "deep").await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_health_is_not_serving() {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let nothing = tonic::service::Routes::default();
    let serving = tokio::spawn(Http2::builder().add_routes(nothing).serve(address));
    eventually("it listens", async || {
        TcpStream::connect(address).await.is_ok()
    })
    .await;
    let expected = (Outcome::NotServing, "here has no health service".to_owned());
    assert_eq!(probed(&address.to_string(), "").await, expected);
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_it_cannot_connect() {
    let expected = (Outcome::Unreachable, "cannot connect to here".to_owned());
    let address = format!("127.0.0.1:{}", free_port());
    assert_eq!(probed(&address, "deep").await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn to_a_server_that_speaks_something_else_it_cannot_connect() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    let speaking = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            stream
                .write_all(b"220 mail.example.com ESMTP\r\n")
                .await
                .expect("written");
        }
    });
    let expected = (Outcome::Unreachable, "cannot connect to here".to_owned());
    assert_eq!(probed(&address, "deep").await, expected);
    speaking.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_wait_longer_than_it_was_told() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = silent.local_addr().expect("its address").to_string();
    let (answer, time) = timed(probed(&address, "deep")).await;
    assert_eq!(
        answer,
        (
            Outcome::TimedOut,
            "no answer from here within 1s".to_owned()
        )
    );
    assert!(SECOND <= time && time < 2 * SECOND, "it took {time:?}");
}

#[test]
fn each_outcome_has_its_exit_code() {
    let codes = [
        Outcome::Serving,
        Outcome::NotServing,
        Outcome::Unreachable,
        Outcome::TimedOut,
    ]
    .map(Outcome::exit_code);
    assert_eq!(codes, [0, 1, 2, 3]);
}
