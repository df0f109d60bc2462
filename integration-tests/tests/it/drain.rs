//! The end: SIGTERM on a real binary.

use std::time::Duration;

use api::health::HealthCheckRequest;
use api::health::health_check_response::ServingStatus;
use api::health::health_client::HealthClient;
use api::user::user_service_client::UserServiceClient;
use api::user::{GetCompetitionRequest, ListCompetitionsRequest, SignUpRequest};
use futures::future::join_all;
use integration_tests::{PASSWORD, Startlist, channel_to};
use nix::sys::signal::Signal;
use testkit::Program;
use tokio::time::Instant;
use tonic::transport::Channel;

/// A `user-service` of its own on the Redis of a test, and a connection to it.
async fn user_service(app: &Startlist, flags: &[&str]) -> (Program, Channel) {
    let redis = app.redis.url("user-service");
    let mut arguments = vec!["--listen", "127.0.0.1:0", "--redis-url", &redis];
    arguments.extend(flags);
    let program = Program::start("user-service", &arguments, &[]);
    program.wait_for_stderr("serving").await;
    let channel = channel_to(&program.logged_address("serving"));
    let request = ListCompetitionsRequest::default();
    let answer = UserServiceClient::new(channel.clone())
        .list_competitions(request)
        .await;
    answer.expect("it serves");
    (program, channel)
}

/// What its base health says. Its answer also shows that all that was sent before has arrived.
async fn base(channel: &Channel) -> ServingStatus {
    let mut health = HealthClient::new(channel.clone());
    let answer = health.check(HealthCheckRequest::default()).await;
    answer.expect("an answer").into_inner().status()
}

#[tokio::test]
async fn calls_that_run_are_finished_and_the_process_ends_well() {
    let app = Startlist::start().await;
    let (program, channel) = user_service(&app, &["--lame-duck", "0s"]).await;
    // Each waits for the one before it: passwords are hashed one by one.
    let sign_ups = join_all((0..8).map(|number| {
        let mut client = UserServiceClient::new(channel.clone());
        let request = SignUpRequest {
            email: format!("user-{number}@example.org"),
            password: PASSWORD.to_owned(),
            display_name: "Somebody".to_owned(),
            ..Default::default()
        };
        async move { client.sign_up(request).await }
    }));
    tokio::pin!(sign_ups);
    assert!(futures::poll!(&mut sign_ups).is_pending());
    assert_eq!(base(&channel).await, ServingStatus::Serving);

    program.signal(Signal::SIGTERM);
    for answer in sign_ups.await {
        answer.expect("it was finished");
    }
    let ended = program.exit().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (_, after) = ended.stderr.split_once("draining").expect("it drained");
    assert!(
        after.contains("SignUp"),
        "some were finished after the signal: {}",
        ended.stderr
    );
    assert!(!after.contains("drain deadline"), "{}", ended.stderr);
}

#[tokio::test]
async fn new_calls_are_taken_for_a_while_and_health_says_that_it_ends() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    let (program, channel) = user_service(&app, &["--lame-duck", "1m"]).await;
    program.signal(Signal::SIGTERM);
    program.wait_for_stderr("draining").await;
    assert_eq!(base(&channel).await, ServingStatus::NotServing);
    let request = GetCompetitionRequest {
        competition_id: race.competition_id,
    };
    let answer = UserServiceClient::new(channel)
        .get_competition(request)
        .await;
    answer.expect("for a while new calls are taken");
    // A second signal ends it at once.
    program.signal(Signal::SIGTERM);
    let ended = program.exit().await;
    assert_eq!(ended.code, Some(128 + Signal::SIGTERM as i32), "{ended:?}");
}

#[tokio::test]
async fn at_the_deadline_it_ends_whatever_runs() {
    let mut app = Startlist::start().await;
    let flags = ["--lame-duck", "0s", "--drain-deadline", "100ms"];
    let (program, channel) = user_service(&app, &flags).await;
    app.redis.freeze().expect("frozen");
    let mut client = UserServiceClient::new(channel.clone());
    let call = client.list_competitions(ListCompetitionsRequest::default());
    tokio::pin!(call);
    assert!(futures::poll!(&mut call).is_pending());
    assert_eq!(base(&channel).await, ServingStatus::Serving);

    let began = Instant::now();
    program.signal(Signal::SIGTERM);
    let ended = program.exit().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    assert!(
        ended.stderr.contains("the drain deadline has passed"),
        "{}",
        ended.stderr
    );
    call.await.expect_err("it was cut off");
}
