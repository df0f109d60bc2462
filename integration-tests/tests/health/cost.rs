//! What health costs Redis and the peer, however many ask.

use std::time::{Duration, Instant};

use ServingStatus::{NotServing, Serving};
use api::health::health_check_response::ServingStatus;
use futures::future::join_all;
use testkit::{TestRedis, eventually, free_address};
use tokio::time::{MissedTickBehavior, interval};

use crate::client::{Client, Watcher, most_calls_in};
use crate::server::{NOWHERE, Server};

/// Two servers that are each other's peer, with deep up on both.
async fn pair(redis: &TestRedis) -> [Server; 2] {
    let addresses = [free_address(), free_address()].map(|address| address.to_string());
    let [first, second] = &addresses;
    let servers = [
        Server::start_at(first, &redis.url("user-service"), Some(second)).await,
        Server::start_at(second, &redis.url("user-service"), Some(first)).await,
    ];
    for server in &servers {
        let client = server.client().await;
        eventually("deep is up", async || client.is_serving("deep").await).await;
    }
    servers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_deep_checks_a_second_cost_about_one_call_a_second() {
    let redis = TestRedis::start();
    let [server, peer] = pair(&redis).await;
    let client = server.client().await;
    let (pings, peer_calls, began_at) = (
        redis.command_count("ping").await,
        peer.calls(),
        Instant::now(),
    );

    let mut ticks = interval(Duration::from_millis(100));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for _ in 0..30 {
        ticks.tick().await;
        let answers = join_all((0..100).map(|_| client.check("deep"))).await;
        assert!(answers.iter().all(Result::is_ok));
    }

    // Both servers may be asking Redis: the peer for as long as somebody asked it before.
    let most = most_calls_in(began_at.elapsed());
    let pings = redis.command_count("ping").await - pings;
    assert!(pings <= 2 * most, "{pings} PINGs");
    let peer_calls = peer.calls() - peer_calls;
    assert!(
        (1..=most).contains(&peer_calls),
        "{peer_calls} calls of the peer"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_deep_checks_at_once_do_not_call_each_other() {
    let redis = TestRedis::start();
    let servers = pair(&redis).await;
    let clients = [servers[0].client().await, servers[1].client().await];
    let before = [servers[0].calls(), servers[1].calls()];
    let began_at = Instant::now();

    let checks = (0..500).flat_map(|_| clients.iter().map(|client| client.check("deep")));
    let answers = join_all(checks).await;
    assert!(answers.iter().all(Result::is_ok));

    for (server, before) in servers.iter().zip(before) {
        let calls = server.calls() - before;
        let most = 500 + most_calls_in(began_at.elapsed());
        assert!(
            (500..=most).contains(&calls),
            "{calls} calls for 500 checks"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_watchers_are_all_told_and_cost_about_one_call_a_second() {
    let mut redis = TestRedis::start();
    let peer = Server::start(NOWHERE, None).await;
    let server = Server::start(&redis.url("user-service"), Some(&peer.address)).await;
    let first = server.client().await;
    eventually("deep is up", async || first.is_serving("deep").await).await;

    let mut watchers = watch_a_thousand_times(&server).await;
    all_are_told(&mut watchers, Serving).await;

    let (pings, began_at) = (redis.command_count("ping").await, Instant::now());
    eventually("Redis is asked a few times", async || {
        redis.command_count("ping").await >= pings + 3
    })
    .await;
    let pings = redis.command_count("ping").await - pings;
    assert!(pings <= most_calls_in(began_at.elapsed()), "{pings} PINGs");

    redis.kill();
    all_are_told(&mut watchers, NotServing).await;
    redis.restart().expect("Redis starts");
    all_are_told(&mut watchers, Serving).await;
}

/// Over ten connections.
async fn watch_a_thousand_times(server: &Server) -> Vec<Watcher> {
    let clients: Vec<Client> = join_all((0..10).map(|_| server.client())).await;
    join_all((0..1000).map(|number| clients[number % 10].watch("deep"))).await
}

async fn all_are_told(watchers: &mut [Watcher], status: ServingStatus) {
    join_all(watchers.iter_mut().map(|watcher| watcher.until(status))).await;
}
