//! Redis is away: the services run, refuse calls, and serve as soon as it is back, without a restart.

use api::user::ListCompetitionsRequest;
use api::v1::RegistrationState;
use integration_tests::{Startlist, assert_rejected, eventually, reason};
use nix::sys::signal::Signal;
use testkit::{Program, TestRedis};
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
