//! The end of a service: SIGTERM to a real binary.

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

/// Starts a `user-service` on the Redis of the test, and connects to it.
async fn user_service(app: &Startlist, flags: &[&str]) -> (Program, Channel) {
    let redis = app.redis.url("user-service");
    let mut arguments = vec!["--listen", "127.0.0.1:0", "--redis-url", &redis];
    arguments.extend(flags);
    let program = Program::start("user-service", &arguments, &[]);
    program.wait_for_stderr("serving").await;
    let channel = channel_to(&program.logged_address("serving"));
    let mut client = UserServiceClient::new(channel.clone());
    let reply = client
        .list_competitions(ListCompetitionsRequest::default())
        .await;
    reply.expect("a list");
    (program, channel)
}

/// The status of the server as a whole. Its reply also shows that everything that was sent earlier
/// on this connection has arrived.
async fn base_status(channel: &Channel) -> ServingStatus {
    let mut health = HealthClient::new(channel.clone());
    let reply = health.check(HealthCheckRequest::default()).await;
    reply.expect("a status").into_inner().status()
}

#[tokio::test]
async fn calls_in_progress_are_finished_and_the_process_ends_with_exit_code_0() {
    let app = Startlist::start().await;
    let (program, channel) = user_service(&app, &["--lame-duck", "0s"]).await;
    // Passwords are hashed one after the other, so that most of these calls are still waiting.
    let sign_ups = join_all((0..8).map(|number| {
        let mut client = UserServiceClient::new(channel.clone());
        let request = SignUpRequest {
            email: format!("user-{number}@example.org"),
            password: PASSWORD.to_owned(),
            display_name: "Runner".to_owned(),
            ..Default::default()
        };
        async move { client.sign_up(request).await }
    }));
    tokio::pin!(sign_ups);
    assert!(futures::poll!(&mut sign_ups).is_pending());
    assert_eq!(base_status(&channel).await, ServingStatus::Serving);

    program.signal(Signal::SIGTERM);
    for reply in sign_ups.await {
        reply.expect("finished");
    }
    let exit = program.exit().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let (_, after) = exit.stderr.split_once("draining").expect("a drain");
    let is_finished_later = after.contains("SignUp") && !after.contains("drain deadline");
    assert!(is_finished_later, "{}", exit.stderr);
}

#[tokio::test]
async fn a_draining_service_accepts_calls_and_is_not_serving() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    let (program, channel) = user_service(&app, &["--lame-duck", "1m"]).await;
    program.signal(Signal::SIGTERM);
    program.wait_for_stderr("draining").await;
    assert_eq!(base_status(&channel).await, ServingStatus::NotServing);
    let request = GetCompetitionRequest {
        competition_id: race.competition_id,
    };
    let reply = UserServiceClient::new(channel)
        .get_competition(request)
        .await;
    reply.expect("new calls are accepted");
    // A second signal ends the process at once.
    program.signal(Signal::SIGTERM);
    let exit = program.exit().await;
    assert_eq!(exit.code, Some(128 + Signal::SIGTERM as i32), "{exit:?}");
}

#[tokio::test]
async fn the_drain_deadline_cuts_off_calls_in_progress() {
    let mut app = Startlist::start().await;
    let flags = ["--lame-duck", "0s", "--drain-deadline", "100ms"];
    let (program, channel) = user_service(&app, &flags).await;
    app.redis.freeze().expect("frozen");
    let mut client = UserServiceClient::new(channel.clone());
    let call = client.list_competitions(ListCompetitionsRequest::default());
    tokio::pin!(call);
    assert!(futures::poll!(&mut call).is_pending());
    assert_eq!(base_status(&channel).await, ServingStatus::Serving);

    let began = Instant::now();
    program.signal(Signal::SIGTERM);
    let exit = program.exit().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    let is_logged = exit.stderr.contains("the drain deadline has passed");
    assert!(is_logged, "{}", exit.stderr);
    call.await.expect_err("cut off");
}
