//! Redis is away: the services run, refuse calls, and serve as soon as it is back, without a
//! restart.

use api::health::HealthCheckRequest;
use api::health::health_check_response::ServingStatus;
use api::health::health_client::HealthClient;
use api::user::ListCompetitionsRequest;
use api::v1::RegistrationState;
use integration_tests::{Startlist, assert_rejected, channel_to, reason};
use nix::sys::signal::Signal;
use testkit::{Program, TestRedis, eventually, free_address};
use tokio::time::Instant;

#[tokio::test]
async fn services_that_start_without_redis_wait_for_it() {
    let mut app = Startlist::builder().without_redis().start().await;
    let users = app.user_service();
    let list = async || {
        let request = ListCompetitionsRequest::default();
        users.clone().list_competitions(request).await
    };
    for _ in 0..2 {
        let refusal = assert_rejected(list().await, reason::STORE_UNAVAILABLE);
        assert!(refusal.details.retry_info().is_some());
    }
    app.redis.restart().expect("started");
    eventually("calls succeed", async || list().await.is_ok()).await;
    let race = app.competition().open().await;
    app.registered(&race, ["ada"]).await;
}

#[tokio::test]
async fn a_killed_redis_loses_nothing_that_was_acknowledged() {
    let mut app = Startlist::start().await;
    let race = app.competition().capacity(1).open().await;
    let [ada, ben] = app.users(["ada", "ben"]).await;
    let registered = ada.register(&race).await.expect("confirmed");

    app.redis.kill();
    assert_rejected(ben.register(&race).await, reason::STORE_UNAVAILABLE);
    app.redis.restart().expect("restarted");
    eventually("calls succeed", async || ada.me().await.is_ok()).await;
    let read = ada.registration(&race).await.expect("a registration");
    assert_eq!(read, registered);
    let waiting = ben.register(&race).await.expect("on the waitlist");
    assert_eq!(waiting.state(), RegistrationState::Waitlisted);
    assert_eq!(waiting.revision, registered.revision + 1);
}

#[tokio::test]
async fn a_frozen_redis_delays_a_call_by_less_than_five_seconds() {
    let mut app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    ada.me().await.expect("there is a connection to Redis");
    app.redis.freeze().expect("frozen");
    let began = Instant::now();
    assert_rejected(ada.me().await, reason::STORE_UNAVAILABLE);
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    app.redis.thaw().expect("running");
    eventually("calls succeed", async || ada.me().await.is_ok()).await;
}

#[tokio::test]
async fn deep_health_of_a_service_follows_redis_and_its_peer() {
    let mut redis = TestRedis::start();
    let [admin, user] = [free_address(), free_address()].map(|address| address.to_string());
    let start = |redis: &TestRedis, name: &str, listen: &str, peer: &str| {
        let flags = [
            "--listen",
            listen,
            "--redis-url",
            &redis.url(name),
            "--peer-url",
            peer,
        ];
        Program::start(name, &flags, &[])
    };
    let _admin = start(&redis, "admin-service", &admin, &format!("http://{user}"));
    let peer = start(&redis, "user-service", &user, &format!("http://{admin}"));
    let becomes = async |expected: [(&str, bool); 4]| {
        eventually(&format!("serving is {expected:?}"), async || {
            for (service, is_serving) in expected {
                if is_serving_at(&admin, service).await != is_serving {
                    return false;
                }
            }
            true
        })
        .await;
    };
    let ready = ("readiness", true);
    becomes([ready, ("deep", true), ("redis", true), ("peer", true)]).await;
    redis.kill();
    becomes([ready, ("deep", false), ("redis", false), ("peer", true)]).await;
    redis.restart().expect("restarted");
    becomes([ready, ("deep", true), ("redis", true), ("peer", true)]).await;
    peer.signal(Signal::SIGKILL);
    becomes([ready, ("deep", false), ("redis", true), ("peer", false)]).await;
    let _peer = start(&redis, "user-service", &user, &format!("http://{admin}"));
    becomes([ready, ("deep", true), ("redis", true), ("peer", true)]).await;
}

async fn is_serving_at(address: &str, service: &str) -> bool {
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let reply = HealthClient::new(channel_to(address)).check(request).await;
    reply.is_ok_and(|reply| reply.into_inner().status() == ServingStatus::Serving)
}

#[tokio::test]
async fn a_service_that_starts_without_redis_logs_one_line_about_it() {
    let arguments = [
        "--listen=127.0.0.1:0",
        "--redis-url=redis://127.0.0.1:1",
        "--lame-duck=0s",
    ];
    let program = Program::start("user-service", &arguments, &[]);
    program.wait_for_stderr("Redis cannot be reached").await;
    program.signal(Signal::SIGTERM);
    let exit = program.exit().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let lines = exit.stderr.matches("Redis cannot be reached").count();
    assert_eq!(lines, 1, "{}", exit.stderr);
}

#[tokio::test]
async fn unsafe_settings_of_redis_are_logged_as_warnings() {
    let settings = [
        ("appendfsync", "everysec"),
        ("maxmemory-policy", "allkeys-lru"),
    ];
    let redis = TestRedis::with_settings(&settings);
    let url = redis.url("user-service");
    let arguments = ["--listen", "127.0.0.1:0", "--redis-url", &url];
    let program = Program::start("user-service", &arguments, &[]);
    for (setting, value) in settings {
        program.wait_for_stderr(&format!("{setting} {value}")).await;
    }
    let log = program.stderr();
    assert!(!log.contains("appendonly"), "that setting is safe: {log}");
}
