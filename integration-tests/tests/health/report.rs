//! `GetHealthReport`: the same, for people.

use std::time::{Duration, SystemTime};

use api::diagnostics::{GetHealthReportResponse, HealthStatus, PartHealth, ServerHealth};
use futures::future::join_all;
use tokio::net::TcpListener;

use crate::{
    client::{eventually, timed},
    redis::Redis,
    server::{SERVICE, Server},
};

async fn peer() -> Server {
    Server::start("redis://127.0.0.1:1", None).await
}

fn part<'a>(server: &'a ServerHealth, name: &str) -> &'a PartHealth {
    server
        .parts
        .iter()
        .find(|part| part.name == name)
        .expect("the part")
}

fn names(server: &ServerHealth) -> Vec<&str> {
    server.parts.iter().map(|part| part.name.as_str()).collect()
}

fn checked_at(part: &PartHealth) -> SystemTime {
    let checked_at = part.checked_at.expect("checked");
    checked_at.try_into().expect("a time")
}

fn latency(part: &PartHealth) -> Duration {
    let latency = part.latency.expect("asked");
    latency.try_into().expect("a duration")
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_of_each_part_how_it_is_and_since_when() {
    let (redis, peer, before) = (Redis::start(), peer().await, SystemTime::now());
    let server = Server::start(&redis.url(), Some(&peer.address)).await;
    let client = server.client().await;
    eventually("deep is up", async || client.is_serving("deep").await).await;
    let report = client.report(false).await.server.expect("the server");

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
    assert_eq!(names(&report), all);
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
            assert!(Duration::ZERO < latency(part) && latency(part) < Duration::from_millis(600));
            let age = checked_at(part).elapsed().expect("in the past");
            assert!(age < Duration::from_secs(2), "{part:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_is_as_old_as_its_older_part_and_as_slow_as_its_slower_one() {
    let (mut redis, peer) = (Redis::start(), peer().await);
    let server = Server::start(&redis.url(), Some(&peer.address)).await;
    let client = server.client().await;
    eventually("deep is up", async || client.is_serving("deep").await).await;
    redis.stop();
    eventually("redis is down", async || !client.is_serving("redis").await).await;

    let report = client.report(false).await.server.expect("the server");
    let [deep, redis, peer] = ["deep", "redis", "peer"].map(|name| part(&report, name));
    assert!(checked_at(peer) < checked_at(redis), "{report:?}");
    assert!(latency(peer) < latency(redis), "{report:?}");
    assert_eq!(checked_at(deep), checked_at(peer));
    assert_eq!(latency(deep), latency(redis));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_of_the_peer_what_the_peer_says_of_itself() {
    let (redis, peer) = (Redis::start(), peer().await);
    let server = Server::start(&redis.url(), Some(&peer.address)).await;
    let of_itself = peer.client().await.report(true).await.server;
    assert_eq!(server.client().await.report(false).await.peer, of_itself);
    assert_eq!(
        names(&of_itself.expect("itself")),
        ["", SERVICE, "liveness", "readiness"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shallow_report_asks_nobody() {
    let (redis, peer) = (Redis::start(), peer().await);
    let server = Server::start(&redis.url(), Some(&peer.address)).await;
    let client = server.client().await;
    let report = client.report(true).await;
    assert_eq!(report.peer, None);
    let calls = peer.calls();
    for _ in 0..50 {
        client.report(true).await;
    }
    // One evaluation may be under way since the start of the server.
    assert!(peer.calls() <= calls + 1, "{} calls", peer.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_reports_cost_the_peer_about_as_much_as_one() {
    let (redis, peer) = (Redis::start(), peer().await);
    let server = Server::start(&redis.url(), Some(&peer.address)).await;
    let client = server.client().await;
    let reports = join_all((0..1000).map(|_| client.report(false))).await;
    assert!(reports.iter().all(|report| report.peer.is_some()));
    assert!(peer.calls() <= 12, "{} calls", peer.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_why_in_sentences_that_give_nothing_away() {
    let mut redis = Redis::start();
    let server = Server::start(&redis.url(), Some("127.0.0.1:1")).await;
    let client = server.client().await;
    eventually("readiness", async || client.is_serving("readiness").await).await;
    redis.kill();
    eventually("redis is down", async || !client.is_serving("redis").await).await;
    let report = client.report(false).await;
    assert_eq!(report.peer, None);
    let own = report.server.as_ref().expect("the server");
    for (name, error) in [
        ("redis", "Redis cannot be reached or cannot write"),
        ("peer", "the peer cannot be reached"),
        ("deep", "neither Redis nor the peer is serving"),
        ("readiness", ""),
    ] {
        assert_eq!(part(own, name).error, error);
    }
    assert_gives_nothing_away(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_in_time_also_while_redis_and_the_peer_hang() {
    let mut redis = Redis::start();
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = silent.local_addr().expect("its address").to_string();
    redis.stop();
    let server = Server::start(&redis.url(), Some(&address)).await;
    let client = server.client().await;
    for _ in 0..5 {
        let (report, time) = timed(client.report(false)).await;
        assert!(time < Duration::from_secs(1), "it took {time:?}");
        assert_eq!(report.peer, None);
        let own = report.server.as_ref().expect("the server");
        assert_eq!(part(own, "peer").error, "no answer came in time");
        assert_eq!(part(own, "redis").status(), HealthStatus::NotServing);
        assert_ne!(part(own, "redis").error, "");
        assert!(
            part(own, "readiness")
                .error
                .starts_with("Redis has not answered")
        );
        assert_gives_nothing_away(&report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_the_server_drains() {
    let redis = Redis::start();
    let server = Server::start(&redis.url(), None).await;
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
