//! The end of a server, seen by those who watch it.

use ServingStatus::{NotServing, ServiceUnknown, Serving};
use api::health::health_check_response::ServingStatus;
use futures::future::join_all;
use testkit::{TIMEOUT, TestRedis, eventually};
use tokio::time::timeout;

use crate::server::{SERVICE, Server};

/// A server of which all but deep is up.
async fn server() -> (Server, TestRedis) {
    let redis = TestRedis::start();
    let server = Server::start(&redis.url("user-service"), None).await;
    let client = server.client().await;
    eventually("readiness", async || client.is_serving("readiness").await).await;
    (server, redis)
}

async fn assert_ends(server: Server) {
    let ended = timeout(TIMEOUT, server.end()).await;
    assert!(ended.is_ok(), "the server waits for its watchers");
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_are_told_and_their_streams_end_and_then_the_server_can() {
    let (server, _redis) = server().await;
    let client = server.client().await;
    let names = ["", SERVICE, "readiness", "liveness", "deep", "unknown"];
    let mut watchers = Vec::new();
    for name in names {
        let mut watcher = client.watch(name).await;
        let first = watcher.next().await.expect("the status now");
        watchers.push((name, first, watcher));
    }

    server.health.drain();
    for (name, first, watcher) in &mut watchers {
        let expected = match *name {
            "" | SERVICE | "readiness" => (Serving, Some(NotServing)),
            "liveness" => (Serving, None),
            "deep" => (NotServing, None),
            _ => (ServiceUnknown, None),
        };
        let then = watcher.next().await;
        assert_eq!((*first, then), expected, "{name:?}");
        if then.is_some() {
            assert_eq!(watcher.next().await, None, "{name:?}");
        }
    }
    drop(client);
    assert_ends(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drains_still_answers_and_says_that_it_is_alive() {
    let (server, _redis) = server().await;
    let client = server.client().await;
    server.health.drain();
    for name in ["", SERVICE, "readiness", "deep"] {
        assert_eq!(client.check(name).await, Ok(NotServing), "{name:?}");
    }
    assert_eq!(client.check("liveness").await, Ok(Serving));
    server.health.initialised();
    // Redis answers once more.
    assert_eq!(client.check("redis").await, Ok(Serving));
    assert_eq!(
        client.check("readiness").await,
        Ok(NotServing),
        "there is no way back"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_begins_while_the_server_drains_is_told_once_and_ends() {
    let (server, _redis) = server().await;
    server.health.drain();
    let mut watcher = server.client().await.watch("").await;
    assert_eq!(watcher.next().await, Some(NotServing));
    assert_eq!(watcher.next().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_watchers_do_not_keep_a_server_from_ending() {
    let (server, _redis) = server().await;
    let client = server.client().await;
    let mut watchers = join_all((0..1000).map(|_| client.watch(""))).await;
    server.health.drain();
    join_all(watchers.iter_mut().map(|watcher| watcher.until(NotServing))).await;
    assert_ends(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_that_never_read_do_not_keep_a_server_from_ending() {
    let (server, _redis) = server().await;
    let client = server.client().await;
    let _watchers = join_all((0..100).map(|_| client.watch("readiness"))).await;
    server.health.drain();
    assert_ends(server).await;
}
