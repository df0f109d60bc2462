//! How the doctor finds Redis, and how it fails if it cannot examine it.

use nix::sys::signal::Signal;
use testkit::{Exit, TestRedis};

use crate::running::RunningStartlist;

use super::{assert_printed, assert_sound, doctor};

/// The doctor ended with this code and one line on standard error with this text, and printed
/// nothing.
#[track_caller]
fn assert_refused(exit: &Exit, code: i32, sentence: &str) {
    assert_eq!(exit.code, Some(code), "{exit:?}");
    assert_eq!(exit.stdout, "", "{exit:?}");
    assert_eq!(exit.stderr.lines().count(), 1, "{exit:?}");
    assert!(exit.stderr.starts_with("startlist: "), "{exit:?}");
    assert!(exit.stderr.contains(sentence), "{exit:?}");
}

#[tokio::test]
async fn a_running_startlist_is_found_by_its_data_directory_and_keeps_running() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data");
    let running = RunningStartlist::start(&data_dir, &[]).await;
    let setting = [("STARTLIST_DATA_DIR", data_dir.display().to_string())];
    let exit = doctor(&["doctor"], &setting).await;
    assert_sound(&exit);
    let has_owner = exit.stdout.contains(" 1 account, ");
    assert!(has_owner, "{exit:?}");

    // The directory has all passwords, so a repair needs no other setting.
    assert_sound(&doctor(&["doctor", "--repair"], &setting).await);
    let flag = ["--data-dir", data_dir.to_str().expect("a path"), "doctor"];
    assert_sound(&doctor(&flag, &[]).await);

    running.stop().await;
    let exit = doctor(&["doctor"], &setting).await;
    assert_refused(&exit, 69, "no startlist is running in ");
}

#[tokio::test]
async fn a_killed_startlist_is_reported_as_not_running() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data");
    let running = RunningStartlist::start(&data_dir, &[]).await;
    running.program.signal(Signal::SIGKILL);
    running.program.exit().await;
    let setting = [("STARTLIST_DATA_DIR", data_dir.display().to_string())];
    testkit::eventually("its Redis has ended", async || {
        doctor(&["doctor"], &setting).await.code == Some(69)
    })
    .await;
}

#[tokio::test]
async fn an_unreachable_redis_is_an_error_and_no_finding() {
    let mut redis = TestRedis::start();
    let url = redis.url("doctor");
    redis.stop().expect("stopped");
    let exit = doctor(&["doctor"], &[("STARTLIST_REDIS_URL", url.clone())]).await;
    assert_refused(&exit, 69, "redis is unavailable: ");
    let password = url.split([':', '@']).nth(2).expect("a password");
    assert!(!exit.stderr.contains(password), "{exit:?}");
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_permission_are_errors_and_no_findings() {
    let redis = TestRedis::start();
    let address = redis.address();
    let wrong = format!("redis://doctor:wrong@{address}");
    let exit = doctor(&["doctor"], &[("STARTLIST_REDIS_URL", wrong)]).await;
    assert_refused(&exit, 77, "redis refused the login: ");

    let service = redis.url("user-service");
    let exit = doctor(&["doctor"], &[("STARTLIST_REDIS_URL", service)]).await;
    assert_refused(&exit, 77, "redis denied a command: ");
}

#[tokio::test]
async fn a_repair_needs_a_user_who_may_write() {
    let system = super::System::start().await;
    system.damage(&["SET", "email:{ffff}", "nobody"]).await;
    let url = [("STARTLIST_REDIS_URL", system.url("doctor"))];
    let exit = doctor(&["doctor", "--repair"], &url).await;
    assert_refused(&exit, 77, "redis denied a command: ");

    // A user who may read and write, as in a Redis without an ACL, needs no other one.
    let url = [("STARTLIST_REDIS_URL", system.url("root"))];
    let exit = doctor(&["doctor", "--repair"], &url).await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    assert_printed(
        &exit,
        &["repaired: key email:{ffff}: released the e-mail address".to_owned()],
    );
}

#[tokio::test]
async fn an_invalid_setting_is_named_and_ends_the_doctor_with_exit_code_64() {
    let url = "redis://doctor@127.0.0.1:1".to_owned();
    for (settings, sentence) in [
        (
            vec![("STARTLIST_REDIS_URL", "http://127.0.0.1".to_owned())],
            "--redis-url (STARTLIST_REDIS_URL): must be redis://",
        ),
        (
            vec![
                ("STARTLIST_REDIS_URL", url),
                (
                    "STARTLIST_REDIS_PASSWORD_FILE",
                    "/nowhere/secret".to_owned(),
                ),
            ],
            "--redis-password-file (STARTLIST_REDIS_PASSWORD_FILE): cannot read /nowhere/secret: ",
        ),
        (
            vec![("STARTLIST_REDIS_PASSWORD_FILE", "/dev/null".to_owned())],
            "--redis-password-file (STARTLIST_REDIS_PASSWORD_FILE): needs --redis-url ",
        ),
    ] {
        assert_refused(&doctor(&["doctor"], &settings).await, 64, sentence);
    }
    let exit = doctor(&["doctor", "--no-such-flag"], &[]).await;
    assert_refused(&exit, 64, "--no-such-flag: there is no such setting");
}
