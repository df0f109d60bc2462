//! The binary `startlist`: everything on one machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use api::admin::SignInRequest;
use api::admin::admin_service_client::AdminServiceClient;
use api::health::HealthCheckRequest;
use api::health::health_check_response::ServingStatus;
use api::health::health_client::HealthClient;
use api::user::SignUpRequest;
use api::user::user_service_client::UserServiceClient;
use integration_tests::{PASSWORD, channel_to};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use testkit::{Program, eventually};
use tonic::Code;
use tonic::transport::Channel;

/// A `startlist` in a folder.
struct Running {
    program: Program,
    admin: Channel,
    user: Channel,
}

impl Running {
    /// Starts it, and returns once it says that it is ready.
    async fn start(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let program = begin(folder, settings);
        program.wait_for_stdout("Ctrl-C").await;
        let said = program.stdout();
        let ready = said.lines().next().expect("a line");
        assert!(ready.starts_with("ready"), "{said}");
        let address = |name: &str| {
            let (_, rest) = ready.split_once(name).expect("both services are named");
            rest.split([',', ' ']).next().expect("an address")
        };
        Self {
            admin: channel_to(address("admin-service on ")),
            user: channel_to(address("user-service on ")),
            program,
        }
    }

    async fn end(self) {
        self.program.signal(Signal::SIGINT);
        let ended = self.program.exit().await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }

    /// The code of a sign-up with this address.
    async fn sign_up(&self, email: &str) -> Code {
        let request = SignUpRequest {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            display_name: "Ada".to_owned(),
            ..Default::default()
        };
        let answer = UserServiceClient::new(self.user.clone())
            .sign_up(request)
            .await;
        answer.map_or_else(|status| status.code(), |_| Code::Ok)
    }

    async fn owner_signs_in(&self, password_file: &Path) {
        let password = fs::read_to_string(password_file).expect("a password");
        let request = SignInRequest {
            email: "owner@example.org".to_owned(),
            password: password.trim_end().to_owned(),
        };
        let answer = AdminServiceClient::new(self.admin.clone())
            .sign_in(request)
            .await;
        answer.expect("the owner");
    }
}

fn begin(folder: &Path, settings: &[(&str, &str)]) -> Program {
    let data_dir = folder.join("data");
    let mut all = vec![
        ("STARTLIST_ADMIN_LISTEN", "127.0.0.1:0"),
        ("STARTLIST_USER_LISTEN", "127.0.0.1:0"),
        ("STARTLIST_LAME_DUCK", "0s"),
        ("STARTLIST_DATA_DIR", data_dir.to_str().expect("a path")),
    ];
    all.extend(settings);
    Program::start("startlist", &[], &all)
}

async fn is_serving(channel: &Channel, service: &str) -> bool {
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let answer = HealthClient::new(channel.clone()).check(request).await;
    answer.expect("an answer").into_inner().status() == ServingStatus::Serving
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[tokio::test]
async fn when_it_says_ready_all_is_serving_and_the_owner_can_sign_in() {
    let folder = folder();
    let running = Running::start(folder.path(), &[]).await;
    for channel in [&running.admin, &running.user] {
        for service in ["", "readiness"] {
            assert!(is_serving(channel, service).await, "{service:?}");
        }
        // On a busy machine a part of deep may miss its deadline, and then deep says so.
        eventually("deep is SERVING", async || {
            is_serving(channel, "deep").await
        })
        .await;
    }
    let password_file = folder.path().join("data/owner-password");
    let mode = fs::metadata(&password_file)
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    running.owner_signs_in(&password_file).await;

    let password = fs::read_to_string(&password_file).expect("a password");
    let told = running.program.stdout() + &running.program.stderr();
    assert!(!told.contains(password.trim_end()), "{told}");
    assert_eq!(
        told.lines()
            .filter(|line| line.starts_with("grpcurl "))
            .count(),
        3,
        "{told}"
    );
    running.end().await;
}

#[tokio::test]
async fn what_was_answered_is_there_in_the_next_run() {
    let folder = folder();
    let running = Running::start(folder.path(), &[]).await;
    assert_eq!(running.sign_up("ada@example.org").await, Code::Ok);
    running.end().await;

    let running = Running::start(folder.path(), &[]).await;
    assert_eq!(
        running.sign_up("ada@example.org").await,
        Code::AlreadyExists
    );
    running
        .owner_signs_in(&folder.path().join("data/owner-password"))
        .await;
    running.end().await;
}

#[tokio::test]
async fn the_owner_may_be_named() {
    let folder = folder();
    let password_file = folder.path().join("password");
    fs::write(&password_file, "a word of the owner's\n").expect("written");
    let settings = [
        ("STARTLIST_OWNER_EMAIL", "owner@example.org"),
        (
            "STARTLIST_OWNER_PASSWORD_FILE",
            password_file.to_str().expect("a path"),
        ),
    ];
    let running = Running::start(folder.path(), &settings).await;
    running.owner_signs_in(&password_file).await;
    assert!(
        !folder.path().join("data/owner-password").exists(),
        "no other password is made"
    );
    running.end().await;
}

#[tokio::test]
async fn a_second_one_in_the_same_folder_ends_with_one_sentence_and_harms_nobody() {
    let folder = folder();
    let running = Running::start(folder.path(), &[]).await;
    let second = begin(folder.path(), &[]).exit().await;
    assert_eq!(second.code, Some(64), "{second:?}");
    let sentence = "startlist: --data-dir (STARTLIST_DATA_DIR): ";
    assert!(second.stderr.starts_with(sentence), "{second:?}");
    assert!(
        second
            .stderr
            .trim_end()
            .ends_with("is in use by another startlist"),
        "{second:?}"
    );
    assert_eq!(running.sign_up("ada@example.org").await, Code::Ok);
    running.end().await;
}

#[tokio::test]
async fn without_a_redis_server_it_says_how_to_get_one() {
    let folder = folder();
    let ended = begin(folder.path(), &[("PATH", "/nowhere")]).exit().await;
    assert_eq!(ended.code, Some(71), "{ended:?}");
    assert!(
        ended.stderr.contains("`make run` installs one"),
        "{ended:?}"
    );
}

#[tokio::test]
async fn after_a_kill_the_next_one_finds_everything() {
    let folder = folder();
    let running = Running::start(folder.path(), &[]).await;
    assert_eq!(running.sign_up("ada@example.org").await, Code::Ok);
    running.program.signal(Signal::SIGKILL);
    running.program.exit().await;

    let running = Running::start(folder.path(), &[]).await;
    assert_eq!(
        running.sign_up("ada@example.org").await,
        Code::AlreadyExists
    );
    running.end().await;
}

/// The Redis among the children of a process.
#[cfg(target_os = "linux")]
fn redis_of(pid: i32) -> Option<Pid> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let children =
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    let children: Vec<_> = children.collect();
    children
        .iter()
        .flat_map(|pids| pids.split_whitespace())
        .find(|pid| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            name.contains("redis") || name.contains("valkey")
        })
        .and_then(|pid| pid.parse().ok())
        .map(Pid::from_raw)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_redis_that_was_killed_is_started_again_and_nothing_is_lost() {
    let folder = folder();
    let running = Running::start(folder.path(), &[]).await;
    assert_eq!(running.sign_up("ada@example.org").await, Code::Ok);
    let redis = redis_of(running.program.pid()).expect("a Redis");
    kill(redis, Signal::SIGKILL).expect("killed");
    eventually("it is back with all its data", async || {
        running.sign_up("ada@example.org").await == Code::AlreadyExists
    })
    .await;
    let redis = redis_of(running.program.pid()).expect("another Redis");
    running.end().await;
    eventually("Redis ended too", async || kill(redis, None).is_err()).await;
}
