//! The end of a server, as its watches see it.

use ServingStatus::{NotServing, ServiceUnknown, Serving};
use api::health::health_check_response::ServingStatus;
use futures::future::join_all;
use testkit::{TIMEOUT, TestRedis};
use tokio::time::timeout;

use crate::server::{SERVICE, Server};

/// A server with everything serving except deep.
async fn server() -> (Server, TestRedis) {
    let redis = TestRedis::start();
    let server = Server::start(&redis.url("user-service"), None).await;
    server.client().await.wait_until_serving("readiness").await;
    (server, redis)
}

async fn assert_stops(server: Server) {
    let stopped = timeout(TIMEOUT, server.stop()).await;
    assert!(stopped.is_ok(), "the server waits for its watches");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_sends_not_serving_to_all_watches_and_ends_them() {
    let (server, _redis) = server().await;
    let client = server.client().await;
    let names = ["", SERVICE, "readiness", "liveness", "deep", "unknown"];
    let mut watches = Vec::new();
    for name in names {
        let mut watch = client.watch(name).await;
        let first = watch.next().await.expect("the current status");
        watches.push((name, first, watch));
    }

    server.health.drain();
    for (name, first, watch) in &mut watches {
        let expected = match *name {
            "" | SERVICE | "readiness" => (Serving, Some(NotServing)),
            "liveness" => (Serving, None),
            "deep" => (NotServing, None),
            _ => (ServiceUnknown, None),
        };
        let second = watch.next().await;
        assert_eq!((*first, second), expected, "{name:?}");
        if second.is_some() {
            assert_eq!(watch.next().await, None, "{name:?}");
        }
    }
    drop(client);
    assert_stops(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_server_replies_is_alive_and_never_serves_again() {
    let (server, _redis) = server().await;
    let client = server.client().await;
    server.health.drain();
    server.health.initialised();
    for name in ["", SERVICE, "readiness", "deep"] {
        assert_eq!(client.check(name).await, Ok(NotServing), "{name:?}");
    }
    assert_eq!(client.check("liveness").await, Ok(Serving));
    // A successful check of Redis does not make it ready again.
    assert_eq!(client.check("redis").await, Ok(Serving));
    assert_eq!(client.check("readiness").await, Ok(NotServing));
    let mut watch = client.watch("").await;
    assert_eq!(watch.next().await, Some(NotServing));
    assert_eq!(watch.next().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_thousand_watches_nor_unread_ones_delay_the_end() {
    let (server, _redis) = server().await;
    let client = server.client().await;
    let mut watches = join_all((0..1000).map(|_| client.watch(""))).await;
    let _unread = join_all((0..100).map(|_| client.watch("readiness"))).await;
    server.health.drain();
    join_all(watches.iter_mut().map(|watch| watch.until(NotServing))).await;
    assert_stops(server).await;
}
