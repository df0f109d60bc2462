//! How the doctor finds Redis, and how it fails if it cannot examine it.

use nix::sys::signal::Signal;
use testkit::{Exit, TestRedis};

use crate::running::RunningStartlist;

use super::{assert_printed, assert_sound, doctor};

/// It ends with this code and this one sentence on standard error, and says nothing else.
#[track_caller]
fn assert_refused(ended: &Exit, code: i32, sentence: &str) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert_eq!(ended.stdout, "", "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.starts_with("startlist: "), "{ended:?}");
    assert!(ended.stderr.contains(sentence), "{ended:?}");
}

#[tokio::test]
async fn the_startlist_that_runs_is_found_by_its_folder_and_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data");
    let running = RunningStartlist::start(&data_dir, &[]).await;
    let setting = [("STARTLIST_DATA_DIR", data_dir.display().to_string())];
    let ended = doctor(&["doctor"], &setting).await;
    assert_sound(&ended);
    assert!(
        ended.stdout.contains(" 1 account, "),
        "the owner's: {ended:?}"
    );

    // Its passwords are in the folder too, so that it can be repaired without more ado.
    assert_sound(&doctor(&["doctor", "--repair"], &setting).await);
    let flag = ["--data-dir", data_dir.to_str().expect("a path"), "doctor"];
    assert_sound(&doctor(&flag, &[]).await);

    running.stop().await;
    let ended = doctor(&["doctor"], &setting).await;
    assert_refused(&ended, 69, "no startlist is running in ");
}

#[tokio::test]
async fn a_startlist_that_was_killed_is_told_from_one_that_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data");
    let running = RunningStartlist::start(&data_dir, &[]).await;
    running.program.signal(Signal::SIGKILL);
    running.program.exit().await;
    let setting = [("STARTLIST_DATA_DIR", data_dir.display().to_string())];
    testkit::eventually("its Redis ended too", async || {
        doctor(&["doctor"], &setting).await.code == Some(69)
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_no_finding() {
    let mut redis = TestRedis::start();
    let url = redis.url("doctor");
    redis.stop().expect("stopped");
    let ended = doctor(&["doctor"], &[("STARTLIST_REDIS_URL", url.clone())]).await;
    assert_refused(&ended, 69, "Redis cannot be reached: ");
    let password = url.split([':', '@']).nth(2).expect("a password");
    assert!(!ended.stderr.contains(password), "{ended:?}");
}

#[tokio::test]
async fn a_wrong_password_and_a_user_that_may_not_read_are_told_apart_from_findings() {
    let redis = TestRedis::start();
    let address = redis.address();
    let wrong = format!("redis://doctor:wrong@{address}");
    let ended = doctor(&["doctor"], &[("STARTLIST_REDIS_URL", wrong)]).await;
    assert_refused(&ended, 77, "Redis refused access: ");

    let service = redis.url("user-service");
    let ended = doctor(&["doctor"], &[("STARTLIST_REDIS_URL", service)]).await;
    assert_refused(&ended, 77, "Redis refused access: ");
}

#[tokio::test]
async fn who_may_only_read_repairs_nothing() {
    let system = super::System::start().await;
    system.damage(&["SET", "email:{ffff}", "nobody"]).await;
    let url = [("STARTLIST_REDIS_URL", system.url("doctor"))];
    let ended = doctor(&["doctor", "--repair"], &url).await;
    assert_refused(&ended, 77, "Redis refused access: ");

    // Where one user may do everything, as in a Redis without an ACL, no other is needed.
    let url = [("STARTLIST_REDIS_URL", system.url("root"))];
    let ended = doctor(&["doctor", "--repair"], &url).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_printed(
        &ended,
        &["repaired: key email:{ffff}: released the e-mail address".to_owned()],
    );
}

#[tokio::test]
async fn a_setting_that_cannot_be_used_ends_it_with_exit_code_64() {
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
            "--redis-password-file (STARTLIST_REDIS_PASSWORD_FILE): needs --redis-url (STARTLIST_REDIS_URL)",
        ),
    ] {
        assert_refused(&doctor(&["doctor"], &settings).await, 64, sentence);
    }
    let ended = doctor(&["doctor", "--no-such-flag"], &[]).await;
    assert_refused(&ended, 64, "--no-such-flag: there is no such setting");
}
