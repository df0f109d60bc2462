//! Deep health while Redis and the peer are killed, frozen, slow, disconnected, and back.

use std::time::{Duration, Instant};

use ServingStatus::{NotServing, Serving};
use api::health::health_check_response::ServingStatus;
use nix::sys::signal::Signal;
use testkit::proxy::Network;
use testkit::{Program, Proxy, TestRedis, eventually, free_address};

use crate::client::{Client, is_in_time};
use crate::process::start_server;
use crate::server::{NOWHERE, SERVICE, Server, silent_listener};

/// The timeout of a kubelet's probe: 300 ms more than a check takes if a dependency hangs.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

// Which of deep and its dependencies are serving.
const ALL: &[&str] = &["deep", "redis", "peer"];
const WITHOUT_REDIS: &[&str] = &["peer"];
const WITHOUT_PEER: &[&str] = &["redis"];
const NEITHER: &[&str] = &[];

/// Waits until these of deep and its dependencies are serving, and no others. All other names are
/// serving all the time.
async fn become_serving(client: &Client, serving: &[&str]) {
    eventually(&format!("serving is {serving:?}"), async || {
        for name in ["", SERVICE, "liveness", "readiness"] {
            assert_eq!(client.check(name).await, Ok(Serving), "{name:?}");
        }
        for name in ALL {
            if client.is_serving(name).await != serving.contains(name) {
                return false;
            }
        }
        true
    })
    .await;
}

/// Waits for two seconds in which every check ends within the timeout of a probe.
async fn checks_are_in_time(client: &Client) {
    eventually("every check is in time", async || {
        let until = Instant::now() + 2 * PROBE_TIMEOUT;
        while Instant::now() < until {
            for name in ALL {
                if !is_in_time(client.check(name), PROBE_TIMEOUT).await {
                    return false;
                }
            }
        }
        true
    })
    .await;
}

/// Starts a server with this Redis and this peer; returns when Redis has replied.
async fn start(redis: &TestRedis, peer: Option<&str>) -> (Server, Client) {
    let server = Server::start(&redis.url("user-service"), peer).await;
    let client = server.client().await;
    client.wait_until_serving("readiness").await;
    (server, client)
}

/// A Redis, a peer in a process of its own, and a server with everything serving.
struct Pair {
    redis: TestRedis,
    peer_address: String,
    peer: Program,
    client: Client,
    _server: Server,
}

impl Pair {
    async fn start() -> Self {
        let redis = TestRedis::start();
        let peer_address = free_address().to_string();
        let peer = start_server(&peer_address).await;
        let (server, client) = start(&redis, Some(&peer_address)).await;
        become_serving(&client, ALL).await;
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
async fn a_killed_or_frozen_redis_takes_deep_down_until_it_is_back() {
    let mut pair = Pair::start().await;
    pair.redis.kill();
    become_serving(&pair.client, WITHOUT_REDIS).await;
    checks_are_in_time(&pair.client).await;
    pair.redis.restart().expect("restarted");
    become_serving(&pair.client, ALL).await;
    pair.redis.freeze().expect("frozen");
    become_serving(&pair.client, WITHOUT_REDIS).await;
    checks_are_in_time(&pair.client).await;
    pair.redis.thaw().expect("running");
    become_serving(&pair.client, ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_or_frozen_peer_takes_deep_down_until_it_is_back() {
    let mut pair = Pair::start().await;
    pair.peer.signal(Signal::SIGKILL);
    become_serving(&pair.client, WITHOUT_PEER).await;
    checks_are_in_time(&pair.client).await;
    pair.peer = start_server(&pair.peer_address).await;
    become_serving(&pair.client, ALL).await;
    pair.peer.signal(Signal::SIGSTOP);
    become_serving(&pair.client, WITHOUT_PEER).await;
    checks_are_in_time(&pair.client).await;
    pair.peer.signal(Signal::SIGCONT);
    become_serving(&pair.client, ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_in_time_while_both_redis_and_the_peer_are_frozen() {
    let mut pair = Pair::start().await;
    pair.redis.freeze().expect("frozen");
    pair.peer.signal(Signal::SIGSTOP);
    become_serving(&pair.client, NEITHER).await;
    checks_are_in_time(&pair.client).await;
    pair.peer.signal(Signal::SIGCONT);
    pair.redis.thaw().expect("running");
    become_serving(&pair.client, ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_of_deep_receives_the_start_and_the_end_of_a_fault() {
    let mut pair = Pair::start().await;
    let mut watch = pair.client.watch("deep").await;
    watch.until(Serving).await;
    pair.redis.kill();
    watch.until(NotServing).await;
    pair.redis.restart().expect("restarted");
    watch.until(Serving).await;
    pair.peer.signal(Signal::SIGSTOP);
    watch.until(NotServing).await;
    pair.peer.signal(Signal::SIGCONT);
    watch.until(Serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_waits_for_the_first_reply_of_redis_and_then_stays_serving() {
    let mut redis = TestRedis::start();
    redis.kill();
    let server = Server::start(&redis.url("user-service"), None).await;
    let client = server.client().await;
    assert_eq!(client.check("redis").await, Ok(NotServing));
    assert_eq!(client.check("readiness").await, Ok(NotServing));
    assert_eq!(client.check("").await, Ok(Serving));

    redis.restart().expect("restarted");
    client.wait_until_serving("readiness").await;
    redis.kill();
    become_serving(&client, NEITHER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_never_replies_or_does_not_resolve_is_down() {
    let redis = TestRedis::start();
    let (_listener, silent) = silent_listener().await;
    for peer in [silent.as_str(), "peer.invalid:50051"] {
        let (_server, client) = start(&redis, Some(peer)).await;
        become_serving(&client, WITHOUT_PEER).await;
        checks_are_in_time(&client).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_peer_is_down_while_it_is_too_slow() {
    let redis = TestRedis::start();
    let peer = Server::start(NOWHERE, None).await;
    let proxy = Proxy::start(peer.address.parse().expect("an address")).await;
    let (_server, client) = start(&redis, Some(&proxy.address.to_string())).await;
    proxy.set(Network::Delayed(Duration::from_millis(50)));
    become_serving(&client, ALL).await;
    proxy.set(Network::Delayed(Duration::from_secs(2)));
    become_serving(&client, WITHOUT_PEER).await;
    checks_are_in_time(&client).await;
    proxy.set(Network::Normal);
    become_serving(&client, ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_connection_to_the_peer_is_replaced() {
    let redis = TestRedis::start();
    let peer = Server::start(NOWHERE, None).await;
    let proxy = Proxy::start(peer.address.parse().expect("an address")).await;
    let (_server, client) = start(&redis, Some(&proxy.address.to_string())).await;
    become_serving(&client, ALL).await;
    proxy.freeze_open_connections();
    become_serving(&client, WITHOUT_PEER).await;
    become_serving(&client, ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_peer_is_down() {
    let redis = TestRedis::start();
    let peer = Server::start(NOWHERE, None).await;
    let (_server, client) = start(&redis, Some(&peer.address)).await;
    become_serving(&client, ALL).await;
    peer.health.drain();
    become_serving(&client, WITHOUT_PEER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_replies_with_an_error_is_down() {
    let redis = TestRedis::start();
    let (_server, client) = start(&redis, None).await;
    become_serving(&client, WITHOUT_PEER).await;
    let acl = ["ACL", "SETUSER", "user-service", "clearselectors", "-ping"];
    let () = redis.root(&acl).await;
    become_serving(&client, NEITHER).await;
}
