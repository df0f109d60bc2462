//! Deep, while Redis and the peer are killed, stopped, slow, lost, and back.

use std::mem;
use std::time::{Duration, Instant};

use ServingStatus::{NotServing, Serving};
use api::health::health_check_response::ServingStatus;
use nix::sys::signal::Signal;
use testkit::proxy::Network;
use testkit::{Program, Proxy, TestRedis, eventually, free_address};
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::client::{Client, is_in_time};
use crate::process::start_server;
use crate::server::{NOWHERE, SERVICE, Server};

/// What a kubelet gives a probe for everything: 300 ms more than the server takes for an answer
/// whatever hangs.
const PROBE_BUDGET: Duration = Duration::from_secs(1);

// Which of deep and its parts are serving.
const ALL: &[&str] = &["deep", "redis", "peer"];
const WITHOUT_REDIS: &[&str] = &["peer"];
const WITHOUT_PEER: &[&str] = &["redis"];
const NEITHER: &[&str] = &[];

/// Waits until these of deep and its parts are serving, and no others. All other names are serving
/// all the time.
async fn become_serving(client: &Client, serving: &[&str]) {
    eventually(&format!("serving are {serving:?}"), async || {
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

/// Waits for two seconds in which every answer comes in time.
async fn answers_come_in_time(client: &Client) {
    eventually("every answer comes in time", async || {
        let until = Instant::now() + 2 * PROBE_BUDGET;
        while Instant::now() < until {
            for name in ALL {
                if !is_in_time(client.check(name), PROBE_BUDGET).await {
                    return false;
                }
            }
        }
        true
    })
    .await;
}

/// A client of a server whose Redis has answered.
async fn client_of(server: &Server) -> Client {
    let client = server.client().await;
    eventually("readiness", async || client.is_serving("readiness").await).await;
    client
}

/// A Redis, a peer in a process of its own, and a server of which everything is up.
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
        let server = Server::start(&redis.url("user-service"), Some(&peer_address)).await;
        let client = client_of(&server).await;
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
async fn a_killed_redis_takes_deep_down_until_it_is_back() {
    let mut pair = Pair::start().await;
    pair.redis.kill();
    become_serving(&pair.client, WITHOUT_REDIS).await;
    answers_come_in_time(&pair.client).await;
    pair.redis.restart().expect("Redis starts");
    become_serving(&pair.client, ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_redis_takes_deep_down_until_it_goes_on() {
    let mut pair = Pair::start().await;
    pair.redis.freeze().expect("frozen");
    become_serving(&pair.client, WITHOUT_REDIS).await;
    answers_come_in_time(&pair.client).await;
    pair.redis.thaw().expect("running");
    become_serving(&pair.client, ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_peer_takes_deep_down_until_it_is_back() {
    let mut pair = Pair::start().await;
    pair.peer.signal(Signal::SIGKILL);
    become_serving(&pair.client, WITHOUT_PEER).await;
    answers_come_in_time(&pair.client).await;
    pair.peer = start_server(&pair.peer_address).await;
    become_serving(&pair.client, ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_peer_takes_deep_down_until_it_goes_on() {
    let pair = Pair::start().await;
    pair.peer.signal(Signal::SIGSTOP);
    become_serving(&pair.client, WITHOUT_PEER).await;
    answers_come_in_time(&pair.client).await;
    pair.peer.signal(Signal::SIGCONT);
    become_serving(&pair.client, ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_and_the_peer_may_stop_both_at_once() {
    let mut pair = Pair::start().await;
    pair.redis.freeze().expect("frozen");
    pair.peer.signal(Signal::SIGSTOP);
    become_serving(&pair.client, NEITHER).await;
    answers_come_in_time(&pair.client).await;
    pair.peer.signal(Signal::SIGCONT);
    pair.redis.thaw().expect("running");
    become_serving(&pair.client, ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_of_deep_is_told_of_a_fault_and_of_its_end() {
    let mut pair = Pair::start().await;
    let mut watcher = pair.client.watch("deep").await;
    watcher.until(Serving).await;
    pair.redis.kill();
    watcher.until(NotServing).await;
    pair.redis.restart().expect("Redis starts");
    watcher.until(Serving).await;
    pair.peer.signal(Signal::SIGSTOP);
    watcher.until(NotServing).await;
    pair.peer.signal(Signal::SIGCONT);
    watcher.until(Serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_nobody_watched_is_told_by_the_first_check() {
    let mut pair = Pair::start().await;
    // The evaluation has ended when Redis is asked no more.
    let mut before = pair.redis.command_count("ping").await;
    eventually("nobody is asked", async || {
        sleep(2 * PROBE_BUDGET).await;
        let after = pair.redis.command_count("ping").await;
        mem::replace(&mut before, after) == after
    })
    .await;
    pair.redis.kill();
    assert_eq!(pair.client.check("deep").await, Ok(NotServing));
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_waits_for_the_first_answer_of_redis_and_stays_open() {
    let mut redis = TestRedis::start();
    redis.kill();
    let server = Server::start(&redis.url("user-service"), None).await;
    let client = server.client().await;
    assert_eq!(client.check("redis").await, Ok(NotServing), "it was asked");
    assert_eq!(client.check("readiness").await, Ok(NotServing));
    assert_eq!(client.check("").await, Ok(Serving));

    redis.restart().expect("Redis starts");
    eventually("readiness", async || client.is_serving("readiness").await).await;

    redis.kill();
    become_serving(&client, NEITHER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_peer_deep_is_not_serving() {
    let redis = TestRedis::start();
    let server = Server::start(&redis.url("user-service"), None).await;
    become_serving(&client_of(&server).await, WITHOUT_PEER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_accepts_and_never_answers_is_down() {
    let redis = TestRedis::start();
    // The kernel accepts for it.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = silent.local_addr().expect("its address").to_string();
    let server = Server::start(&redis.url("user-service"), Some(&address)).await;
    let client = client_of(&server).await;
    become_serving(&client, WITHOUT_PEER).await;
    answers_come_in_time(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_whose_name_does_not_resolve_is_down() {
    let redis = TestRedis::start();
    let server = Server::start(&redis.url("user-service"), Some("peer.invalid:50051")).await;
    let client = client_of(&server).await;
    become_serving(&client, WITHOUT_PEER).await;
    answers_come_in_time(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_peer_is_down_once_it_is_too_slow() {
    let redis = TestRedis::start();
    let peer = Server::start(NOWHERE, None).await;
    let network = Proxy::start(peer.address.parse().expect("an address")).await;
    let server = Server::start(
        &redis.url("user-service"),
        Some(&network.address.to_string()),
    )
    .await;
    let client = client_of(&server).await;
    network.set(Network::Delayed(Duration::from_millis(50)));
    become_serving(&client, ALL).await;
    network.set(Network::Delayed(Duration::from_secs(2)));
    become_serving(&client, WITHOUT_PEER).await;
    answers_come_in_time(&client).await;
    network.set(Network::Normal);
    become_serving(&client, ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_connection_to_the_peer_is_given_up_for_a_new_one() {
    let redis = TestRedis::start();
    let peer = Server::start(NOWHERE, None).await;
    let network = Proxy::start(peer.address.parse().expect("an address")).await;
    let server = Server::start(
        &redis.url("user-service"),
        Some(&network.address.to_string()),
    )
    .await;
    let client = client_of(&server).await;
    become_serving(&client, ALL).await;
    network.freeze_open_connections();
    become_serving(&client, WITHOUT_PEER).await;
    become_serving(&client, ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_drains_takes_deep_down() {
    let redis = TestRedis::start();
    let peer = Server::start(NOWHERE, None).await;
    let server = Server::start(&redis.url("user-service"), Some(&peer.address)).await;
    let client = client_of(&server).await;
    become_serving(&client, ALL).await;
    peer.health.drain();
    become_serving(&client, WITHOUT_PEER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_answers_an_error_is_down() {
    let redis = TestRedis::start();
    let server = Server::start(&redis.url("user-service"), None).await;
    let client = client_of(&server).await;
    become_serving(&client, WITHOUT_PEER).await;
    let acl = ["ACL", "SETUSER", "user-service", "clearselectors", "-ping"];
    let () = redis.root(&acl).await;
    become_serving(&client, NEITHER).await;
}
