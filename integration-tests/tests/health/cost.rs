//! The calls that health makes to Redis and the peer do not grow with the number of clients.

use std::time::{Duration, Instant};

use ServingStatus::{NotServing, Serving};
use api::health::health_check_response::ServingStatus;
use futures::future::join_all;
use testkit::{TestRedis, eventually, free_address};
use tokio::time::{MissedTickBehavior, interval};

use crate::client::{Client, Watch, most_calls_in};
use crate::server::{NOWHERE, Server};

/// Two servers that are each other's peer, with deep serving on both.
async fn pair(redis: &TestRedis) -> [Server; 2] {
    let [first, second] = [free_address(), free_address()].map(|address| address.to_string());
    let url = redis.url("user-service");
    let servers = [
        Server::start_at(&first, &url, Some(&second)).await,
        Server::start_at(&second, &url, Some(&first)).await,
    ];
    for server in &servers {
        server.client().await.wait_until_serving("deep").await;
    }
    servers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_deep_checks_a_second_cost_about_one_call_a_second() {
    let redis = TestRedis::start();
    let [server, peer] = pair(&redis).await;
    let client = server.client().await;
    let pings = redis.command_count("ping").await;
    let (peer_calls, began_at) = (peer.calls(), Instant::now());

    let mut ticks = interval(Duration::from_millis(100));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for _ in 0..30 {
        ticks.tick().await;
        let checks = join_all((0..100).map(|_| client.check("deep"))).await;
        assert!(checks.iter().all(Result::is_ok));
    }

    // The peer may also be checking Redis, for some seconds after it was checked itself.
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
async fn deep_checks_of_two_servers_do_not_trigger_each_other() {
    let redis = TestRedis::start();
    let servers = pair(&redis).await;
    let clients = [servers[0].client().await, servers[1].client().await];
    let before = [servers[0].calls(), servers[1].calls()];
    let began_at = Instant::now();

    let checks = (0..500).flat_map(|_| clients.iter().map(|client| client.check("deep")));
    let checks = join_all(checks).await;
    assert!(checks.iter().all(Result::is_ok));
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
async fn a_thousand_watches_receive_each_change_and_cost_about_one_call_a_second() {
    let mut redis = TestRedis::start();
    let peer = Server::start(NOWHERE, None).await;
    let server = Server::start(&redis.url("user-service"), Some(&peer.address)).await;
    server.client().await.wait_until_serving("deep").await;

    let clients: Vec<Client> = join_all((0..10).map(|_| server.client())).await;
    let watches = (0..1000).map(|number| clients[number % 10].watch("deep"));
    let mut watches: Vec<Watch> = join_all(watches).await;
    receive(&mut watches, Serving).await;

    let (pings, began_at) = (redis.command_count("ping").await, Instant::now());
    eventually("three checks of Redis", async || {
        redis.command_count("ping").await >= pings + 3
    })
    .await;
    let pings = redis.command_count("ping").await - pings;
    assert!(pings <= most_calls_in(began_at.elapsed()), "{pings} PINGs");

    redis.kill();
    receive(&mut watches, NotServing).await;
    redis.restart().expect("restarted");
    receive(&mut watches, Serving).await;
}

async fn receive(watches: &mut [Watch], status: ServingStatus) {
    join_all(watches.iter_mut().map(|watch| watch.until(status))).await;
}
