//! The first owner, if the settings name none: a token for one use that is printed once.

use api::admin::{CreateAdminRequest, CreateAdminResponse, ListAdminsRequest};
use api::v1::AdminRole;
use integration_tests::{PASSWORD, admin_client, assert_rejected, channel_to, reason};
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
