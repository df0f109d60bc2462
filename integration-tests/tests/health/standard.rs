//! The promises of the protocol.

use std::time::Duration;

use ServingStatus::{NotServing, ServiceUnknown, Serving};
use api::health::health_check_response::ServingStatus;
use testkit::{TestRedis, eventually};
use tonic::Code;

use crate::server::{NOWHERE, SERVICE, Server};

/// Long enough to notice a message that must not come.
const SILENCE: Duration = Duration::from_millis(300);

#[tokio::test]
async fn check_of_an_unknown_name_is_not_found() {
    let server = Server::start(NOWHERE, None).await;
    let client = server.client().await;
    for unknown in ["startlist.test.v1.Other", "DEEP"] {
        assert_eq!(client.check(unknown).await, Err(Code::NotFound));
    }
}

#[tokio::test]
async fn before_it_is_initialised_a_server_is_alive_and_nothing_else() {
    let server = Server::start_uninitialised("127.0.0.1:0", NOWHERE, None).await;
    let client = server.client().await;
    for name in ["", SERVICE, "readiness", "deep", "redis", "peer"] {
        assert_eq!(client.check(name).await, Ok(NotServing), "{name:?}");
    }
    assert_eq!(client.check("liveness").await, Ok(Serving));
    server.health.initialised();
    for name in ["", SERVICE, "liveness"] {
        assert_eq!(client.check(name).await, Ok(Serving), "{name:?}");
    }
}

#[tokio::test]
async fn readiness_waits_until_the_server_is_prepared() {
    let redis = TestRedis::start();
    let url = redis.url("user-service");
    let server = Server::start_uninitialised("127.0.0.1:0", &url, None).await;
    let client = server.client().await;
    server.health.initialised();
    eventually("redis is serving", async || {
        client.is_serving("redis").await
    })
    .await;
    assert_eq!(client.check("readiness").await, Ok(NotServing));
    server.health.prepared();
    assert_eq!(client.check("readiness").await, Ok(Serving));
}

#[tokio::test]
async fn list_returns_all_names_and_deep_needs_a_peer() {
    let redis = TestRedis::start();
    let server = Server::start(&redis.url("user-service"), None).await;
    let client = server.client().await;
    let expected = [
        ("", Serving),
        ("deep", NotServing),
        ("liveness", Serving),
        ("peer", NotServing),
        ("readiness", Serving),
        ("redis", Serving),
        (SERVICE, Serving),
    ];
    let expected = expected.map(|(name, status)| (name.to_owned(), status));
    eventually("the list is complete", async || {
        client.list().await == expected
    })
    .await;
}

#[tokio::test]
async fn the_first_request_for_a_name_waits_for_its_check() {
    let redis = TestRedis::start();
    for method in ["Check", "List", "Watch"] {
        eventually(&format!("the first {method} has redis up"), async || {
            // A server that is not initialised has not checked Redis yet.
            let url = redis.url("user-service");
            let server = Server::start_uninitialised("127.0.0.1:0", &url, None).await;
            let client = server.client().await;
            match method {
                "Check" => client.is_serving("redis").await,
                "Watch" => client.watch("redis").await.next().await == Some(Serving),
                _ => client.list().await.contains(&("redis".to_owned(), Serving)),
            }
        })
        .await;
    }
}

#[tokio::test]
async fn watch_sends_the_status_at_once_and_then_only_changes() {
    let mut redis = TestRedis::start();
    redis.kill();
    let server = Server::start(&redis.url("user-service"), None).await;
    let mut watch = server.client().await.watch("readiness").await;
    assert_eq!(watch.next().await, Some(NotServing));
    assert!(watch.is_silent_for(SILENCE).await);
    redis.restart().expect("restarted");
    assert_eq!(watch.next().await, Some(Serving));
    assert!(watch.is_silent_for(SILENCE).await);
    server.health.drain();
    assert_eq!(watch.next().await, Some(NotServing));
    assert_eq!(watch.next().await, None);
}

#[tokio::test]
async fn watch_of_an_unknown_name_stays_open() {
    let server = Server::start(NOWHERE, None).await;
    let mut watch = server.client().await.watch("unknown").await;
    assert_eq!(watch.next().await, Some(ServiceUnknown));
    assert!(watch.is_silent_for(SILENCE).await);
    server.health.drain();
    assert_eq!(watch.next().await, None);
}
