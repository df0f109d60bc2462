//! Deep, while Redis and the peer are killed, stopped, slow, lost, and back.

use std::time::Duration;

use ServingStatus::{NotServing, Serving};
use api::health::health_check_response::ServingStatus;
use tokio::net::TcpListener;

use crate::{
    client::{Client, eventually, timed},
    process::ServerProcess,
    proxy::Proxy,
    redis::{Redis, free_port},
    server::{SERVICE, Server},
};

/// What a kubelet gives a probe for everything: 300 ms more than the server takes for an answer
/// whatever hangs.
const PROBE_BUDGET: Duration = Duration::from_secs(1);

/// Whether each of the seven names is serving, told in time.
async fn assert_serving(client: &Client, serving: &[&str]) {
    for name in [
        "",
        SERVICE,
        "liveness",
        "readiness",
        "deep",
        "redis",
        "peer",
    ] {
        let (status, time) = timed(client.check(name)).await;
        let expected = if serving.contains(&name) {
            Serving
        } else {
            NotServing
        };
        assert_eq!(status, Ok(expected), "{name:?}");
        assert!(time < PROBE_BUDGET, "{name:?} took {time:?}");
    }
}

/// Asks for deep until it is so; each answer has to come in time.
async fn deep_becomes(client: &Client, status: ServingStatus) {
    eventually(&format!("deep is {status:?}"), async || {
        let (answer, time) = timed(client.check("deep")).await;
        assert!(time < PROBE_BUDGET, "it took {time:?}");
        answer == Ok(status)
    })
    .await;
}

const ALL: [&str; 7] = [
    "",
    SERVICE,
    "liveness",
    "readiness",
    "deep",
    "redis",
    "peer",
];
const WITHOUT_REDIS: [&str; 5] = ["", SERVICE, "liveness", "readiness", "peer"];
const WITHOUT_PEER: [&str; 5] = ["", SERVICE, "liveness", "readiness", "redis"];
const ALONE: [&str; 4] = ["", SERVICE, "liveness", "readiness"];

/// A Redis, a peer in a process of its own, and a server of which everything is up.
struct Pair {
    redis: Redis,
    peer_address: String,
    peer: ServerProcess,
    client: Client,
    _server: Server,
}

impl Pair {
    async fn start() -> Self {
        let redis = Redis::start();
        let peer_address = format!("127.0.0.1:{}", free_port());
        let peer = ServerProcess::start(&peer_address);
        let server = Server::start(&redis.url(), Some(&peer_address)).await;
        let client = server.client().await;
        deep_becomes(&client, Serving).await;
        assert_serving(&client, &ALL).await;
        Self {
            redis,
            peer_address,
            peer,
            client,
            _server: server,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_redis_takes_deep_down_until_it_is_back() {
    let mut pair = Pair::start().await;
    pair.redis.kill();
    deep_becomes(&pair.client, NotServing).await;
    assert_serving(&pair.client, &WITHOUT_REDIS).await;
    pair.redis.restart();
    deep_becomes(&pair.client, Serving).await;
    assert_serving(&pair.client, &ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_redis_takes_deep_down_until_it_goes_on() {
    let mut pair = Pair::start().await;
    pair.redis.stop();
    deep_becomes(&pair.client, NotServing).await;
    assert_serving(&pair.client, &WITHOUT_REDIS).await;
    pair.redis.go_on();
    deep_becomes(&pair.client, Serving).await;
    assert_serving(&pair.client, &ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_peer_takes_deep_down_until_it_is_back() {
    let mut pair = Pair::start().await;
    pair.peer.kill();
    deep_becomes(&pair.client, NotServing).await;
    assert_serving(&pair.client, &WITHOUT_PEER).await;
    pair.peer = ServerProcess::start(&pair.peer_address);
    deep_becomes(&pair.client, Serving).await;
    assert_serving(&pair.client, &ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_peer_takes_deep_down_until_it_goes_on() {
    let pair = Pair::start().await;
    pair.peer.stop();
    deep_becomes(&pair.client, NotServing).await;
    assert_serving(&pair.client, &WITHOUT_PEER).await;
    pair.peer.go_on();
    deep_becomes(&pair.client, Serving).await;
    assert_serving(&pair.client, &ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_and_the_peer_may_stop_both_at_once() {
    let mut pair = Pair::start().await;
    pair.redis.stop();
    pair.peer.stop();
    deep_becomes(&pair.client, NotServing).await;
    eventually("redis and the peer are down", async || {
        !pair.client.is_serving("redis").await && !pair.client.is_serving("peer").await
    })
    .await;
    assert_serving(&pair.client, &ALONE).await;
    pair.peer.go_on();
    pair.redis.go_on();
    deep_becomes(&pair.client, Serving).await;
    assert_serving(&pair.client, &ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_of_deep_is_told_of_a_fault_and_of_its_end() {
    let mut pair = Pair::start().await;
    let mut watcher = pair.client.watch("deep").await;
    assert_eq!(watcher.next().await, Some(Serving));
    pair.redis.kill();
    assert_eq!(watcher.next().await, Some(NotServing));
    pair.redis.restart();
    assert_eq!(watcher.next().await, Some(Serving));
    pair.peer.stop();
    assert_eq!(watcher.next().await, Some(NotServing));
    pair.peer.go_on();
    assert_eq!(watcher.next().await, Some(Serving));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_nobody_watched_is_told_by_the_first_check() {
    let mut pair = Pair::start().await;
    // The evaluation has ended when Redis is asked no more.
    let mut before = pair.redis.pings().await;
    eventually("nobody is asked", async || {
        tokio::time::sleep(PROBE_BUDGET).await;
        let after = pair.redis.pings().await;
        std::mem::replace(&mut before, after) == after
    })
    .await;
    pair.redis.kill();
    assert_eq!(pair.client.check("deep").await, Ok(NotServing));
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_waits_for_the_first_answer_of_redis_and_stays_open() {
    let mut redis = Redis::start();
    redis.kill();
    let server = Server::start(&redis.url(), None).await;
    let client = server.client().await;
    assert_eq!(client.check("redis").await, Ok(NotServing), "it was asked");
    assert_eq!(client.check("readiness").await, Ok(NotServing));
    assert_eq!(client.check("").await, Ok(Serving));

    redis.restart();
    eventually("readiness", async || client.is_serving("readiness").await).await;

    redis.kill();
    eventually("redis is down", async || !client.is_serving("redis").await).await;
    assert_eq!(client.check("readiness").await, Ok(Serving));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_peer_deep_is_not_serving() {
    let redis = Redis::start();
    let server = Server::start(&redis.url(), None).await;
    let client = server.client().await;
    eventually("readiness", async || client.is_serving("readiness").await).await;
    assert_serving(&client, &WITHOUT_PEER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_accepts_and_never_answers_is_down() {
    let redis = Redis::start();
    // The kernel accepts for it.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = silent.local_addr().expect("its address").to_string();
    let server = Server::start(&redis.url(), Some(&address)).await;
    let client = server.client().await;
    eventually("readiness", async || client.is_serving("readiness").await).await;
    for _ in 0..10 {
        assert_serving(&client, &WITHOUT_PEER).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_whose_name_does_not_resolve_is_down() {
    let redis = Redis::start();
    let server = Server::start(&redis.url(), Some("peer.invalid:50051")).await;
    let client = server.client().await;
    eventually("readiness", async || client.is_serving("readiness").await).await;
    for _ in 0..10 {
        assert_serving(&client, &WITHOUT_PEER).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_peer_is_down_once_it_is_too_slow() {
    let redis = Redis::start();
    let peer = Server::start("redis://127.0.0.1:1", None).await;
    let network = Proxy::before(&peer.address).await;
    let server = Server::start(&redis.url(), Some(&network.address)).await;
    let client = server.client().await;
    network.delay(Duration::from_millis(50));
    deep_becomes(&client, Serving).await;
    network.delay(Duration::from_secs(2));
    deep_becomes(&client, NotServing).await;
    network.delay(Duration::ZERO);
    deep_becomes(&client, Serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_connection_to_the_peer_is_given_up_for_a_new_one() {
    let redis = Redis::start();
    let peer = Server::start("redis://127.0.0.1:1", None).await;
    let network = Proxy::before(&peer.address).await;
    let server = Server::start(&redis.url(), Some(&network.address)).await;
    let client = server.client().await;
    deep_becomes(&client, Serving).await;
    network.freeze_open_connections();
    deep_becomes(&client, NotServing).await;
    deep_becomes(&client, Serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_drains_takes_deep_down() {
    let redis = Redis::start();
    let peer = Server::start("redis://127.0.0.1:1", None).await;
    let server = Server::start(&redis.url(), Some(&peer.address)).await;
    let client = server.client().await;
    deep_becomes(&client, Serving).await;
    peer.health.drain();
    deep_becomes(&client, NotServing).await;
    assert_serving(&client, &WITHOUT_PEER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_answers_an_error_is_down() {
    let redis = Redis::start();
    let server = Server::start(&redis.url(), None).await;
    let client = server.client().await;
    eventually("redis is up", async || client.is_serving("redis").await).await;
    redis.refuse_pings().await;
    eventually("redis is down", async || !client.is_serving("redis").await).await;
}
