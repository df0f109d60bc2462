//! Redis is away: the services are there, say so, and serve as soon as it is back, without a restart.

use api::user::{GetMeRequest, ListCompetitionsRequest};
use api::v1::RegistrationState;
use integration_tests::{Startlist, assert_rejected};
use nix::sys::signal::Signal;
use testkit::{Program, TestRedis, eventually};
use tonic::Code;

#[tokio::test]
async fn without_redis_at_the_start_the_services_wait_for_it() {
    let mut app = Startlist::builder().without_redis().start().await;
    for _ in 0..2 {
        let answer = app
            .user_service()
            .list_competitions(ListCompetitionsRequest::default())
            .await;
        let refusal = assert_rejected(answer, Code::Unavailable, "STORE_UNAVAILABLE");
        assert!(refusal.details.retry_info().is_some());
    }
    app.redis.restart().expect("it comes");
    eventually("calls work", async || {
        let request = ListCompetitionsRequest::default();
        app.user_service().list_competitions(request).await.is_ok()
    })
    .await;
    let race = app.competition().open().await;
    let ada = app.new_user("ada").await;
    ada.register(&race).await.expect("all works");
}

#[tokio::test]
async fn when_redis_is_killed_and_comes_back_nothing_that_was_answered_is_lost() {
    let mut app = Startlist::start().await;
    let race = app.competition().capacity(1).open().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    let registered = ada.register(&race).await.expect("a place");

    app.redis.kill();
    assert_rejected(
        ben.register(&race).await,
        Code::Unavailable,
        "STORE_UNAVAILABLE",
    );
    app.redis.restart().expect("it is back");
    eventually("calls work", async || {
        ada.calls().get_me(GetMeRequest {}).await.is_ok()
    })
    .await;
    assert_eq!(
        ada.registration(&race).await.expect("a registration"),
        registered
    );
    let waiting = ben.register(&race).await.expect("a place in the queue");
    assert_eq!(waiting.state(), RegistrationState::Waitlisted);
    assert_eq!(waiting.revision, registered.revision + 1);
}

#[tokio::test]
async fn a_redis_that_stands_still_holds_nobody_up_for_long() {
    let mut app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    ada.calls()
        .get_me(GetMeRequest {})
        .await
        .expect("there is a connection");
    app.redis.freeze().expect("frozen");
    let began = tokio::time::Instant::now();
    let answer = ada.calls().get_me(GetMeRequest {}).await;
    assert_rejected(answer, Code::Unavailable, "STORE_UNAVAILABLE");
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    app.redis.thaw().expect("it goes on");
    eventually("calls work", async || {
        ada.calls().get_me(GetMeRequest {}).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_service_that_starts_without_redis_says_so_in_one_line() {
    let program = Program::start(
        "user-service",
        &[
            "--listen",
            "127.0.0.1:0",
            "--redis-url",
            "redis://127.0.0.1:1",
            "--lame-duck",
            "0s",
        ],
        &[],
    );
    program.wait_for_stderr("Redis cannot be reached").await;
    program.signal(Signal::SIGTERM);
    let ended = program.exit().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.stderr.matches("Redis cannot be reached").count(),
        1,
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn a_redis_that_may_lose_what_it_was_told_is_named_in_a_warning() {
    let settings = [
        ("appendfsync", "everysec"),
        ("maxmemory-policy", "allkeys-lru"),
    ];
    let redis = TestRedis::with_settings(&settings);
    let url = redis.url("user-service");
    let arguments = ["--listen", "127.0.0.1:0", "--redis-url", &url];
    let program = Program::start("user-service", &arguments, &[]);
    for (setting, found) in settings {
        program.wait_for_stderr(&format!("{setting} {found}")).await;
    }
    assert!(
        !program.stderr().contains("appendonly"),
        "that one is as it should be"
    );
}
