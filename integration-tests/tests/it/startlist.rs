//! The binary `startlist`: everything on one machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use api::admin::SignInRequest;
use api::health::HealthCheckRequest;
use api::health::health_check_response::ServingStatus;
use api::health::health_client::HealthClient;
use api::user::SignUpRequest;
use integration_tests::{PASSWORD, admin_client, user_client};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use testkit::eventually;
use tonic::Code;
use tonic::transport::Channel;

use crate::running::{RunningStartlist, launch};

/// The code of a sign-up. It is `AlreadyExists` if an earlier one is still stored.
async fn sign_up(running: &RunningStartlist) -> Code {
    let request = SignUpRequest {
        email: "ada@example.org".to_owned(),
        password: PASSWORD.to_owned(),
        display_name: "Ada".to_owned(),
        ..Default::default()
    };
    let mut client = user_client(running.user.clone(), None);
    let reply = client.sign_up(request).await;
    reply.map_or_else(|status| status.code(), |_| Code::Ok)
}

async fn assert_owner_can_sign_in(running: &RunningStartlist, password: String) {
    let request = SignInRequest {
        email: "owner@example.org".to_owned(),
        password,
    };
    let mut client = admin_client(running.admin.clone(), None);
    client.sign_in(request).await.expect("the owner signs in");
}

async fn is_serving(channel: &Channel, service: &str) -> bool {
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let reply = HealthClient::new(channel.clone()).check(request).await;
    reply.expect("a status").into_inner().status() == ServingStatus::Serving
}

/// A directory whose subdirectory `data` does not exist yet.
fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let data_dir = folder.path().join("data");
    (folder, data_dir)
}

#[tokio::test]
async fn when_it_is_ready_everything_is_serving_and_the_owner_can_sign_in() {
    let (_folder, data_dir) = folder();
    let running = RunningStartlist::start(&data_dir, &[]).await;
    for channel in [&running.admin, &running.user] {
        for service in ["", "readiness"] {
            assert!(is_serving(channel, service).await, "{service:?}");
        }
        // On a busy machine a deep check may miss its deadline once.
        eventually("deep is serving", async || {
            is_serving(channel, "deep").await
        })
        .await;
    }
    let password_file = fs::metadata(data_dir.join("owner-password"));
    let mode = password_file.expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let password = running.owner_password();
    assert_owner_can_sign_in(&running, password.clone()).await;

    let output = running.program.stdout() + &running.program.stderr();
    assert!(!output.contains(&password), "{output}");
    let commands = output.lines().filter(|line| line.starts_with("grpcurl "));
    assert_eq!(commands.count(), 3, "{output}");
    running.stop().await;
}

#[tokio::test]
async fn the_data_survives_a_stop_and_a_kill() {
    let (_folder, data_dir) = folder();
    let running = RunningStartlist::start(&data_dir, &[]).await;
    assert_eq!(sign_up(&running).await, Code::Ok);
    running.stop_with(Signal::SIGTERM).await;

    let running = RunningStartlist::start(&data_dir, &[]).await;
    assert_eq!(sign_up(&running).await, Code::AlreadyExists);
    running.program.signal(Signal::SIGKILL);
    running.program.exit().await;

    let running = RunningStartlist::start(&data_dir, &[]).await;
    assert_eq!(sign_up(&running).await, Code::AlreadyExists);
    assert_owner_can_sign_in(&running, running.owner_password()).await;
    running.stop().await;
}

#[tokio::test]
async fn the_settings_can_name_the_owner() {
    let (folder, data_dir) = folder();
    let password_file = folder.path().join("password");
    fs::write(&password_file, "the owner's own password\n").expect("written");
    let password_file = password_file.to_str().expect("a UTF-8 path");
    let settings = [
        ("STARTLIST_OWNER_EMAIL", "owner@example.org"),
        ("STARTLIST_OWNER_PASSWORD_FILE", password_file),
    ];
    let running = RunningStartlist::start(&data_dir, &settings).await;
    assert_owner_can_sign_in(&running, "the owner's own password".to_owned()).await;
    let generated = data_dir.join("owner-password");
    assert!(!generated.exists(), "no password is generated");
    running.stop().await;
}

#[tokio::test]
async fn owner_settings_that_come_too_late_are_named_and_not_presented_as_valid() {
    let (folder, data_dir) = folder();
    let running = RunningStartlist::start(&data_dir, &[]).await;
    assert!(!running.program.stdout().contains("Not used"));
    running.stop().await;

    let late = folder.path().join("late-password");
    fs::write(&late, "the owner's own password\n").expect("written");
    let late = late.to_str().expect("a UTF-8 path");
    let address = ("STARTLIST_OWNER_EMAIL", "olga@example.org");
    let password = ("STARTLIST_OWNER_PASSWORD_FILE", late);
    for (settings, unused) in [
        (&[address][..], "--owner-email"),
        (&[password], "--owner-password-file"),
        (
            &[address, password],
            "--owner-email and --owner-password-file",
        ),
    ] {
        let running = RunningStartlist::start(&data_dir, settings).await;
        let stdout = running.program.stdout();
        let line = format!("There is an owner already. Not used: {unused}.\n");
        assert!(stdout.contains(&line), "{stdout}");
        let logged = format!("not used: {unused}");
        running.program.wait_for_stderr(&logged).await;
        assert!(!stdout.contains("late-password"), "{stdout}");
        assert!(!stdout.contains("olga@example.org"), "{stdout}");
        // The owner of the first run is still offered, and can sign in.
        assert!(stdout.contains("data/owner-password"), "{stdout}");
        assert_owner_can_sign_in(&running, running.owner_password()).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn a_variable_that_only_the_services_use_is_reported() {
    let (_folder, data_dir) = folder();
    let settings = [("STARTLIST_PEER_URL", "http://127.0.0.1:1")];
    let running = RunningStartlist::start(&data_dir, &settings).await;
    let warning = "STARTLIST_PEER_URL is set, but";
    running.program.wait_for_stderr(warning).await;
    running.stop().await;
}

#[tokio::test]
async fn a_second_startlist_in_the_same_directory_is_refused() {
    let (_folder, data_dir) = folder();
    let running = RunningStartlist::start(&data_dir, &[]).await;
    let second = launch(&data_dir, &[]).exit().await;
    assert_eq!(second.code, Some(64), "{second:?}");
    let stderr = second.stderr.trim_end();
    assert!(
        stderr.starts_with("startlist: --data-dir (STARTLIST_DATA_DIR): "),
        "{second:?}"
    );
    assert!(
        stderr.ends_with("is in use by another startlist"),
        "{second:?}"
    );
    assert_eq!(sign_up(&running).await, Code::Ok);
    running.stop().await;
}

#[tokio::test]
async fn a_missing_redis_server_is_reported_with_how_to_install_one() {
    let (_folder, data_dir) = folder();
    let exit = launch(&data_dir, &[("PATH", "/nowhere")]).exit().await;
    assert_eq!(exit.code, Some(71), "{exit:?}");
    assert!(exit.stderr.contains("`make run` installs one"), "{exit:?}");
}

/// The Redis among the children of a process.
#[cfg(target_os = "linux")]
fn redis_of(pid: i32) -> Option<Pid> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let children =
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    let children: Vec<_> = children.collect();
    let mut pids = children.iter().flat_map(|pids| pids.split_whitespace());
    let redis = pids.find(|pid| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        name.contains("redis") || name.contains("valkey")
    });
    redis?.parse().ok().map(Pid::from_raw)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_killed_redis_is_started_again_and_loses_nothing() {
    let (_folder, data_dir) = folder();
    let running = RunningStartlist::start(&data_dir, &[]).await;
    assert_eq!(sign_up(&running).await, Code::Ok);
    let redis = redis_of(running.program.pid()).expect("a Redis");
    kill(redis, Signal::SIGKILL).expect("killed");
    eventually("Redis is back with all data", async || {
        sign_up(&running).await == Code::AlreadyExists
    })
    .await;
    let redis = redis_of(running.program.pid()).expect("a new Redis");
    running.stop().await;
    eventually("Redis ends too", async || kill(redis, None).is_err()).await;
}
