//! `GetHealthReport`: the same, for people.

use std::time::{Duration, Instant, SystemTime};

use api::diagnostics::{GetHealthReportResponse, HealthStatus, PartHealth, ServerHealth};
use futures::future::join_all;
use testkit::{TestRedis, eventually};
use tokio::net::TcpListener;

use crate::client::{Client, is_in_time, most_calls_in};
use crate::server::{NOWHERE, SERVICE, Server};

async fn peer() -> Server {
    Server::start(NOWHERE, None).await
}

/// Asks until the report is so.
async fn report_becomes(
    client: &Client,
    what: &str,
    is_so: impl Fn(&GetHealthReportResponse) -> bool,
) -> GetHealthReportResponse {
    let mut report = GetHealthReportResponse::default();
    eventually(what, async || {
        report = client.report(false).await;
        is_so(&report)
    })
    .await;
    report
}

fn own(report: &GetHealthReportResponse) -> &ServerHealth {
    report.server.as_ref().expect("the server")
}

fn part<'a>(server: &'a ServerHealth, name: &str) -> &'a PartHealth {
    let part = server.parts.iter().find(|part| part.name == name);
    part.expect("the part")
}

fn names(server: &ServerHealth) -> Vec<&str> {
    server.parts.iter().map(|part| part.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_of_each_part_how_it_is_and_since_when() {
    let (redis, peer, before) = (TestRedis::start(), peer().await, SystemTime::now());
    let server = Server::start(&redis.url("user-service"), Some(&peer.address)).await;
    let client = server.client().await;
    let report = report_becomes(&client, "deep is up", |report| {
        part(own(report), "deep").status() == HealthStatus::Serving
    })
    .await;
    let report = own(&report);

    assert_eq!(report.name, "test-service");
    assert_eq!(report.version, env!("CARGO_PKG_VERSION"));
    assert!(!report.draining);
    let started_at = SystemTime::try_from(report.started_at.expect("set")).expect("a time");
    assert!(before <= started_at && started_at <= SystemTime::now());

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
        assert_eq!(
            (part.status(), part.error.as_str()),
            (HealthStatus::Serving, ""),
            "{part:?}"
        );
        let since = SystemTime::try_from(part.since.expect("set")).expect("a time");
        assert!(before <= since && since <= SystemTime::now(), "{part:?}");
        let is_asked = ["deep", "redis", "peer"].contains(&part.name.as_str());
        assert_eq!(
            (part.latency.is_some(), part.checked_at.is_some()),
            (is_asked, is_asked)
        );
        if is_asked {
            let latency = Duration::try_from(part.latency.expect("asked")).expect("a duration");
            assert!(latency > Duration::ZERO, "{part:?}");
            let checked_at = SystemTime::try_from(part.checked_at.expect("asked"));
            let checked_at = checked_at.expect("a time");
            assert!(
                before <= checked_at && checked_at <= SystemTime::now(),
                "{part:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_of_the_peer_what_the_peer_says_of_itself() {
    let (redis, peer) = (TestRedis::start(), peer().await);
    let server = Server::start(&redis.url("user-service"), Some(&peer.address)).await;
    let client = server.client().await;
    let report = report_becomes(&client, "the peer tells", |report| report.peer.is_some()).await;
    let of_itself = peer.client().await.report(true).await.server;
    assert_eq!(report.peer, of_itself);
    assert_eq!(
        names(&of_itself.expect("itself")),
        ["", SERVICE, "liveness", "readiness"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shallow_report_asks_nobody() {
    let (redis, peer) = (TestRedis::start(), peer().await);
    let server = Server::start(&redis.url("user-service"), Some(&peer.address)).await;
    let client = server.client().await;
    let (calls, began_at) = (peer.calls(), Instant::now());
    for _ in 0..50 {
        assert_eq!(client.report(true).await.peer, None);
    }
    // An evaluation goes on for some seconds after the start of the server.
    let calls = peer.calls() - calls;
    assert!(calls <= most_calls_in(began_at.elapsed()), "{calls} calls");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_reports_cost_the_peer_about_as_much_as_one() {
    let (redis, peer) = (TestRedis::start(), peer().await);
    let server = Server::start(&redis.url("user-service"), Some(&peer.address)).await;
    let client = server.client().await;
    report_becomes(&client, "the peer tells", |report| report.peer.is_some()).await;
    let (calls, began_at) = (peer.calls(), Instant::now());
    join_all((0..1000).map(|_| client.report(false))).await;
    // Its base, and its report.
    let calls = peer.calls() - calls;
    assert!(
        calls <= 2 * most_calls_in(began_at.elapsed()),
        "{calls} calls"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_why_in_sentences_that_give_nothing_away() {
    let mut redis = TestRedis::start();
    let server = Server::start(&redis.url("user-service"), Some("127.0.0.1:1")).await;
    let client = server.client().await;
    eventually("readiness", async || client.is_serving("readiness").await).await;
    redis.kill();
    for (name, error) in [
        ("redis", "Redis cannot be reached or cannot write"),
        ("peer", "the peer cannot be reached"),
        ("deep", "neither Redis nor the peer is serving"),
        ("readiness", ""),
    ] {
        let is_so = |report: &GetHealthReportResponse| part(own(report), name).error == error;
        let report = report_becomes(&client, error, is_so).await;
        assert_eq!(report.peer, None);
        assert_gives_nothing_away(&report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_in_time_also_while_redis_and_the_peer_hang() {
    let mut redis = TestRedis::start();
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = silent.local_addr().expect("its address").to_string();
    redis.freeze().expect("frozen");
    let server = Server::start(&redis.url("user-service"), Some(&address)).await;
    let client = server.client().await;
    for _ in 0..5 {
        let report = client.report(false).await;
        assert_eq!(report.peer, None);
        assert_eq!(part(own(&report), "peer").error, "no answer came in time");
        assert_ne!(part(own(&report), "redis").error, "");
        let readiness = &part(own(&report), "readiness").error;
        assert_eq!(readiness, "Redis has not answered since the server started");
        assert_gives_nothing_away(&report);
    }
    eventually("ten reports come in time", async || {
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
async fn it_says_that_the_server_drains() {
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

fn assert_gives_nothing_away(report: &GetHealthReportResponse) {
    let text = format!("{report:?}").to_lowercase();
    for word in [
        "127.0.0.1",
        "localhost",
        "redis://",
        "http://",
        "os error",
        "transport",
        "tcp",
    ] {
        assert!(!text.contains(word), "{word:?} in {text}");
    }
}
