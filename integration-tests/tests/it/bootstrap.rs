//! The first owner of an `admin-service`: named by the settings, or created with a token for one use
//! that is printed once.

use std::fs;

use api::admin::{CreateAdminRequest, CreateAdminResponse, ListAdminsRequest, SignInRequest};
use api::health::HealthCheckRequest;
use api::health::health_check_response::ServingStatus;
use api::health::health_client::HealthClient;
use api::v1::AdminRole;
use integration_tests::{PASSWORD, admin_client, assert_rejected, channel_to, reason};
use tempfile::NamedTempFile;
use testkit::{Program, TestRedis};
use tonic::Status;
use tonic::transport::Channel;
use uuid::Uuid;

/// Starts an `admin-service` on this Redis.
async fn admin_service(redis: &TestRedis, flags: &[&str]) -> (Program, Channel) {
    let redis = redis.url("admin-service");
    let mut arguments = vec!["--listen", "127.0.0.1:0", "--redis-url", &redis];
    arguments.extend(flags);
    let program = Program::start("admin-service", &arguments, &[]);
    program.wait_for_stderr("serving").await;
    let channel = channel_to(&program.logged_address("serving"));
    (program, channel)
}

/// The token that the program prints.
async fn printed_token(program: &Program) -> String {
    program.wait_for_stdout("After that time").await;
    let stdout = program.stdout();
    let (_, rest) = stdout.split_once("Bearer ").expect("a grpcurl command");
    rest.split('\'').next().expect("a token").to_owned()
}

fn owner() -> CreateAdminRequest {
    CreateAdminRequest {
        email: "ada@example.org".to_owned(),
        password: PASSWORD.to_owned(),
        display_name: "Ada".to_owned(),
        role: AdminRole::Owner.into(),
        request_id: Uuid::new_v4().to_string(),
    }
}

async fn create(
    channel: &Channel,
    token: &str,
    request: CreateAdminRequest,
) -> Result<CreateAdminResponse, Status> {
    let mut client = admin_client(channel.clone(), Some(token));
    Ok(client.create_admin(request).await?.into_inner())
}

#[tokio::test]
async fn the_token_creates_one_owner_and_allows_nothing_else() {
    let redis = TestRedis::start();
    let (program, channel) = admin_service(&redis, &[]).await;
    let token = printed_token(&program).await;
    assert!(token.starts_with("stl_b_"), "{token}");
    assert!(!program.stderr().contains(&token), "the log has no token");

    let viewer = CreateAdminRequest {
        role: AdminRole::Viewer.into(),
        ..owner()
    };
    let reply = create(&channel, &token, viewer).await;
    reply.expect_err("only an owner can be created");
    let mut client = admin_client(channel.clone(), Some(&token));
    let reply = client.list_admins(ListAdminsRequest::default()).await;
    assert_rejected(reply, reason::UNAUTHENTICATED);

    let request = owner();
    let created = create(&channel, &token, request.clone()).await;
    let created = created.expect("an owner");
    let again = create(&channel, &token, request).await;
    assert_eq!(again.expect("the same request again"), created);
    let second = CreateAdminRequest {
        email: "eve@example.org".to_owned(),
        ..owner()
    };
    let reply = create(&channel, &token, second).await;
    assert_rejected(reply, reason::UNAUTHENTICATED);
}

#[tokio::test]
async fn no_token_is_printed_and_the_old_one_is_refused_once_there_is_an_owner() {
    let redis = TestRedis::start();
    let (program, channel) = admin_service(&redis, &[]).await;
    let token = printed_token(&program).await;
    create(&channel, &token, owner()).await.expect("an owner");
    drop(program);

    let (program, channel) = admin_service(&redis, &[]).await;
    let reply = create(&channel, &token, owner()).await;
    assert_rejected(reply, reason::UNAUTHENTICATED);
    assert_eq!(program.stdout(), "");
}

#[tokio::test]
async fn no_token_is_printed_if_the_log_format_is_json() {
    let redis = TestRedis::start();
    let (program, _channel) = admin_service(&redis, &["--log-format", "json"]).await;
    program.wait_for_stderr("--owner-email").await;
    assert_eq!(program.stdout(), "");
    assert!(!program.stderr().contains("stl_"));
}

/// Flags that name this owner, and the file with the password.
fn owner_flags(email: &str, password: &str) -> (NamedTempFile, Vec<String>) {
    let file = NamedTempFile::new().expect("a file");
    fs::write(&file, password).expect("written");
    let path = file.path().to_str().expect("a UTF-8 path");
    let flags = ["--owner-email", email, "--owner-password-file", path];
    let flags = flags.map(str::to_owned).into();
    (file, flags)
}

async fn named_owner(redis: &TestRedis, flags: &[String]) -> (Program, Channel) {
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    admin_service(redis, &flags).await
}

async fn sign_in(channel: &Channel, password: &str) -> Result<(), Status> {
    let mut client = admin_client(channel.clone(), None);
    let request = SignInRequest {
        email: "ada@example.org".to_owned(),
        password: password.to_owned(),
    };
    client.sign_in(request).await.map(drop)
}

/// Waits until readiness is serving, with a watch, which reports it at once.
async fn until_ready(channel: &Channel) {
    let request = HealthCheckRequest {
        service: "readiness".to_owned(),
    };
    let watched = HealthClient::new(channel.clone()).watch(request).await;
    let mut statuses = watched.expect("a watch").into_inner();
    let mut is_ready = false;
    while !is_ready {
        let status = statuses.message().await.expect("a status");
        is_ready = status.expect("no end").status() == ServingStatus::Serving;
    }
}

#[tokio::test]
async fn the_named_owner_can_sign_in_as_soon_as_readiness_is_serving() {
    let redis = TestRedis::start();
    let (_file, flags) = owner_flags("ada@example.org", PASSWORD);
    let (_program, channel) = named_owner(&redis, &flags).await;
    until_ready(&channel).await;
    sign_in(&channel, PASSWORD).await.expect("signed in");
}

#[tokio::test]
async fn a_named_owner_who_is_another_than_the_existing_one_is_reported() {
    let redis = TestRedis::start();
    let (_file, flags) = owner_flags("ada@example.org", PASSWORD);
    for _ in 0..2 {
        let (program, channel) = named_owner(&redis, &flags).await;
        until_ready(&channel).await;
        assert!(
            !program.stderr().contains("not used"),
            "{}",
            program.stderr()
        );
    }
    let (_file, other_password) = owner_flags("ada@example.org", "another password");
    let (_file, other_address) = owner_flags("eve@example.org", PASSWORD);
    for flags in [other_password, other_address] {
        let (program, channel) = named_owner(&redis, &flags).await;
        let warning = "--owner-email and --owner-password-file are not used";
        program.wait_for_stderr(warning).await;
        sign_in(&channel, PASSWORD).await.expect("the first owner");
    }
}
