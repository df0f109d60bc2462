//! The first owner, where nobody is named: a single-use token that is printed once.

use api::admin::{CreateAdminRequest, CreateAdminResponse, ListAdminsRequest};
use api::v1::AdminRole;
use integration_tests::{PASSWORD, admin_client, assert_rejected, channel_to};
use testkit::{Program, TestRedis};
use tonic::transport::Channel;
use tonic::{Code, Status};
use uuid::Uuid;

/// An `admin-service` on this Redis, with more flags.
async fn admin_service(redis: &TestRedis, flags: &[&str]) -> (Program, Channel) {
    let redis = redis.url("admin-service");
    let mut arguments = vec!["--listen", "127.0.0.1:0", "--redis-url", &redis];
    arguments.extend(flags);
    let program = Program::start("admin-service", &arguments, &[]);
    program.wait_for_stderr("serving").await;
    let channel = channel_to(&program.logged_address("serving"));
    (program, channel)
}

/// The token that was printed.
async fn token_of(program: &Program) -> String {
    program.wait_for_stdout("After that time").await;
    let said = program.stdout();
    let (_, rest) = said.split_once("Bearer ").expect("a line for grpcurl");
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
    let answer = admin_client(channel.clone(), Some(token))
        .create_admin(request)
        .await?;
    Ok(answer.into_inner())
}

#[tokio::test]
async fn the_token_makes_one_owner_once() {
    let redis = TestRedis::start();
    let (program, channel) = admin_service(&redis, &[]).await;
    let token = token_of(&program).await;
    assert!(token.starts_with("stl_b_"), "{token}");
    assert!(
        !program.stderr().contains(&token),
        "the log is read by many"
    );

    let viewer = CreateAdminRequest {
        role: AdminRole::Viewer.into(),
        ..owner()
    };
    create(&channel, &token, viewer)
        .await
        .expect_err("an owner, and nobody else");
    let list = ListAdminsRequest::default();
    let answer = admin_client(channel.clone(), Some(&token))
        .list_admins(list)
        .await;
    assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");

    let request = owner();
    let made = create(&channel, &token, request.clone())
        .await
        .expect("an owner");
    let again = create(&channel, &token, request)
        .await
        .expect("the same call again");
    assert_eq!(again, made);
    let second = CreateAdminRequest {
        email: "eve@example.org".to_owned(),
        ..owner()
    };
    let answer = create(&channel, &token, second).await;
    assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
}

#[tokio::test]
async fn where_there_is_an_owner_no_token_is_printed() {
    let redis = TestRedis::start();
    let (program, channel) = admin_service(&redis, &[]).await;
    let token = token_of(&program).await;
    create(&channel, &token, owner()).await.expect("an owner");
    drop(program);

    let (program, channel) = admin_service(&redis, &[]).await;
    let answer = create(&channel, &token, owner()).await;
    assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    assert_eq!(program.stdout(), "");
}

#[tokio::test]
async fn a_log_for_machines_gets_no_token() {
    let redis = TestRedis::start();
    let (program, _channel) = admin_service(&redis, &["--log-format", "json"]).await;
    program.wait_for_stderr("--owner-email").await;
    assert_eq!(program.stdout(), "");
    assert!(!program.stderr().contains("stl_"));
}
