//! `GetHealthReport`: the state of all parts, for operators.

use std::time::{Duration, Instant, SystemTime};

use api::diagnostics::{GetHealthReportResponse, HealthStatus, PartHealth, ServerHealth};
use futures::future::join_all;
use prost_types::Timestamp;
use testkit::{TestRedis, eventually};

use crate::client::{Client, is_in_time, most_calls_in};
use crate::server::{NOWHERE, SERVICE, Server, silent_listener};

/// A Redis, a peer, a server with both, and a client of it.
async fn start() -> (TestRedis, Server, Server, Client) {
    let (redis, peer) = (TestRedis::start(), Server::start(NOWHERE, None).await);
    let server = Server::start(&redis.url("user-service"), Some(&peer.address)).await;
    let client = server.client().await;
    (redis, peer, server, client)
}

/// Requests reports until one fulfils the condition.
async fn wait_for_report(
    client: &Client,
    what: &str,
    holds: impl Fn(&GetHealthReportResponse) -> bool,
) -> GetHealthReportResponse {
    let mut report = GetHealthReportResponse::default();
    eventually(what, async || {
        report = client.report(false).await;
        holds(&report)
    })
    .await;
    report
}

fn server_in(report: &GetHealthReportResponse) -> &ServerHealth {
    report.server.as_ref().expect("the server")
}

fn part<'a>(server: &'a ServerHealth, name: &str) -> &'a PartHealth {
    let part = server.parts.iter().find(|part| part.name == name);
    part.expect("the part")
}

fn names(server: &ServerHealth) -> Vec<&str> {
    server.parts.iter().map(|part| part.name.as_str()).collect()
}

fn assert_since(start: SystemTime, moment: Option<Timestamp>) {
    let moment = SystemTime::try_from(moment.expect("a moment")).expect("a valid moment");
    assert!(start <= moment && moment <= SystemTime::now());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_has_the_status_of_each_part_and_since_when() {
    let began_at = SystemTime::now();
    let (_redis, _peer, _server, client) = start().await;
    let report = wait_for_report(&client, "deep is serving", |report| {
        part(server_in(report), "deep").status() == HealthStatus::Serving
    });
    let report = report.await;
    let report = server_in(&report);

    assert_eq!(report.name, "test-service");
    assert_eq!(report.version, env!("CARGO_PKG_VERSION"));
    assert!(!report.draining);
    assert_since(began_at, report.started_at);
    let all = [
        "",
        SERVICE,
        "liveness",
        "readiness",
        "deep",
        "redis",
        "peer",
    ];
    assert_eq!(names(report), all);
    for part in &report.parts {
        assert_eq!(part.status(), HealthStatus::Serving, "{part:?}");
        assert_eq!(part.error, "");
        assert_since(began_at, part.since);
        let is_checked = ["deep", "redis", "peer"].contains(&part.name.as_str());
        assert_eq!(part.latency.is_some(), is_checked, "{part:?}");
        assert_eq!(part.checked_at.is_some(), is_checked, "{part:?}");
        if is_checked {
            let latency = Duration::try_from(part.latency.expect("a latency"));
            assert!(latency.expect("a duration") > Duration::ZERO, "{part:?}");
            assert_since(began_at, part.checked_at);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_the_peer_is_the_peers_own() {
    let (_redis, peer, _server, client) = start().await;
    let has_peer = |report: &GetHealthReportResponse| report.peer.is_some();
    let report = wait_for_report(&client, "the peer reports", has_peer).await;
    let own = peer.client().await.report(true).await.server;
    assert_eq!(report.peer, own);
    let names = names(own.as_ref().expect("the peer"));
    assert_eq!(names, ["", SERVICE, "liveness", "readiness"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_reports_cost_the_peer_about_as_much_as_one_and_shallow_ones_nothing() {
    let (_redis, peer, _server, client) = start().await;
    let has_peer = |report: &GetHealthReportResponse| report.peer.is_some();
    let (calls, began_at) = (peer.calls(), Instant::now());
    for _ in 0..50 {
        assert_eq!(client.report(true).await.peer, None);
    }
    // The checks of the start of the server continue for some seconds.
    let shallow = peer.calls() - calls;
    assert!(
        shallow <= most_calls_in(began_at.elapsed()),
        "{shallow} calls"
    );

    wait_for_report(&client, "the peer reports", has_peer).await;
    let (calls, began_at) = (peer.calls(), Instant::now());
    join_all((0..1000).map(|_| client.report(false))).await;
    // A check is one call, a report another one.
    let deep = peer.calls() - calls;
    assert!(
        deep <= 2 * most_calls_in(began_at.elapsed()),
        "{deep} calls"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_errors_of_a_report_reveal_no_address() {
    let mut redis = TestRedis::start();
    let server = Server::start(&redis.url("user-service"), Some("127.0.0.1:1")).await;
    let client = server.client().await;
    client.wait_until_serving("readiness").await;
    redis.kill();
    for (name, error) in [
        ("redis", "Redis cannot be reached"),
        ("peer", "the peer cannot be reached"),
        ("deep", "neither Redis nor the peer is serving"),
        ("readiness", ""),
    ] {
        let has_error =
            |report: &GetHealthReportResponse| part(server_in(report), name).error == error;
        let report = wait_for_report(&client, error, has_error).await;
        assert_eq!(report.peer, None);
        assert_reveals_no_address(&report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_takes_no_writes_takes_deep_down_and_the_report_has_the_reason() {
    let (redis, _peer, _server, client) = start().await;
    client.wait_until_serving("deep").await;
    let set = async |name: &str, value: &str| {
        let () = redis.root(&["CONFIG", "SET", name, value]).await;
    };
    let becomes = async |error: &str| {
        let is_down = |report: &GetHealthReportResponse| {
            part(server_in(report), "redis").error == error
                && part(server_in(report), "deep").status() == HealthStatus::NotServing
        };
        let report = wait_for_report(&client, error, is_down).await;
        assert_reveals_no_address(&report);
        let readiness = part(server_in(&report), "readiness");
        assert_eq!(readiness.status(), HealthStatus::Serving);
    };
    set("maxmemory", "1").await;
    becomes("Redis is out of memory").await;
    set("maxmemory", "0").await;
    set("min-replicas-to-write", "1").await;
    becomes("Redis has too few replicas").await;
    set("min-replicas-to-write", "0").await;
    client.wait_until_serving("deep").await;
    let _: String = redis.root(&["REPLICAOF", "127.0.0.1", "1"]).await;
    becomes("Redis is a replica").await;
    let _: String = redis.root(&["REPLICAOF", "NO", "ONE"]).await;
    client.wait_until_serving("deep").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_ready_with_a_full_redis_and_not_with_a_replica() {
    let redis = TestRedis::start();
    let _: String = redis.root(&["REPLICAOF", "127.0.0.1", "1"]).await;
    let server = Server::start(&redis.url("user-service"), None).await;
    let client = server.client().await;
    let is_checked = |report: &GetHealthReportResponse| {
        part(server_in(report), "redis").error == "Redis is a replica"
    };
    let report = wait_for_report(&client, "Redis was checked", is_checked).await;
    let readiness = part(server_in(&report), "readiness");
    assert_eq!(readiness.status(), HealthStatus::NotServing);

    let _: String = redis.root(&["REPLICAOF", "NO", "ONE"]).await;
    let () = redis.root(&["CONFIG", "SET", "maxmemory", "1"]).await;
    client.wait_until_serving("readiness").await;
    assert!(!client.is_serving("redis").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_in_time_while_redis_and_the_peer_hang() {
    let mut redis = TestRedis::start();
    let (_listener, silent) = silent_listener().await;
    redis.freeze().expect("frozen");
    let server = Server::start(&redis.url("user-service"), Some(&silent)).await;
    let client = server.client().await;
    for _ in 0..5 {
        let report = client.report(false).await;
        assert_eq!(report.peer, None);
        assert_reveals_no_address(&report);
        let server = server_in(&report);
        assert_eq!(part(server, "peer").error, "no answer came in time");
        assert_ne!(part(server, "redis").error, "");
        let readiness = &part(server, "readiness").error;
        assert_eq!(
            readiness,
            "Redis has not been usable since the server started"
        );
    }
    eventually("ten reports are in time", async || {
        for _ in 0..10 {
            if !is_in_time(client.report(false), Duration::from_secs(1)).await {
                return false;
            }
        }
        true
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_a_draining_server_has_the_drain_as_the_error() {
    let redis = TestRedis::start();
    let server = Server::start(&redis.url("user-service"), None).await;
    let client = server.client().await;
    server.health.drain();
    let report = client.report(true).await.server.expect("the server");
    assert!(report.draining);
    for name in ["", SERVICE, "readiness"] {
        assert_eq!(part(&report, name).error, "the server is draining");
    }
    assert_eq!(part(&report, "liveness").status(), HealthStatus::Serving);
}

fn assert_reveals_no_address(report: &GetHealthReportResponse) {
    const DETAILS: [&str; 7] = [
        "127.0.0.1",
        "localhost",
        "redis://",
        "http://",
        "os error",
        "transport",
        "tcp",
    ];
    let text = format!("{report:?}").to_lowercase();
    for detail in DETAILS {
        assert!(!text.contains(detail), "{detail:?} in {text}");
    }
}
