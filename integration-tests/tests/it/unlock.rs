//! The subcommand `unlock` of the three binaries.

use integration_tests::{PASSWORD, Startlist, admin_sign_in, assert_rejected, reason, sign_in};
use testkit::{Exit, Program, TestRedis};

use crate::running::RunningStartlist;

/// Runs `unlock` with these arguments as the Redis user of a service.
async fn unlock(program: &str, redis_url: &str, arguments: &[&str]) -> Exit {
    let arguments = [&["unlock"], arguments].concat();
    let settings = [("STARTLIST_REDIS_URL", redis_url)];
    Program::start(program, &arguments, &settings).exit().await
}

#[track_caller]
fn assert_exit(exit: &Exit, code: i32, sentence: &str) {
    assert_eq!(exit.code, Some(code), "{exit:?}");
    let printed = format!("{}{}", exit.stdout, exit.stderr);
    assert!(printed.contains(sentence), "{exit:?}");
    assert_eq!(printed.lines().count(), 1, "{exit:?}");
}

#[tokio::test]
async fn an_unlocked_user_signs_in_at_once() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    for _ in 0..10 {
        let guess = app.sign_in(&ada.email, "not the password").await;
        assert_rejected(guess, reason::UNAUTHENTICATED);
    }
    let locked = app.sign_in(&ada.email, PASSWORD).await;
    assert_rejected(locked, reason::TOO_MANY_SIGN_INS);

    let url = app.redis.url("user-service");
    let exit = unlock("user-service", &url, &["--email", "ADA@example.org"]).await;
    assert_exit(&exit, 0, "the user ADA@example.org can sign in again");
    app.sign_in(&ada.email, PASSWORD).await.expect("signed in");
    let exit = unlock("user-service", &url, &["--email", &ada.email]).await;
    assert_exit(
        &exit,
        0,
        "no failed sign-in of the user ada@example.org counts",
    );
}

#[tokio::test]
async fn an_admin_is_unlocked_from_a_blocked_network() {
    let app = Startlist::with(&["--network-sign-in-failures", "1"]).await;
    let owner = app.owner().await;
    let nobody = "nobody@example.org";
    let guess = admin_sign_in(app.admin_service_from(1), nobody, PASSWORD).await;
    assert_rejected(guess, reason::UNAUTHENTICATED);
    let blocked = admin_sign_in(app.admin_service_from(1), &owner.email, PASSWORD).await;
    assert_rejected(blocked, reason::TOO_MANY_SIGN_INS);

    let url = app.redis.url("admin-service");
    let arguments = ["--email", &owner.email, "--from", "127.0.1.1"];
    let exit = unlock("admin-service", &url, &arguments).await;
    assert_exit(&exit, 0, "the network of 127.0.1.1 is known from now on");
    let signed_in = admin_sign_in(app.admin_service_from(1), &owner.email, PASSWORD).await;
    signed_in.expect("signed in");
}

#[tokio::test]
async fn an_account_that_cannot_be_unlocked_is_an_error() {
    let mut redis = TestRedis::start();
    let email = ["--email", "nobody@example.org"];
    for (program, who) in [("user-service", "user"), ("admin-service", "admin")] {
        let url = redis.url(program);
        let exit = unlock(program, &url, &email).await;
        let sentence = format!("no {who} has the address nobody@example.org");
        assert_exit(&exit, 1, &sentence);
        let exit = unlock(program, &url, &["--email", "nobody"]).await;
        assert_exit(&exit, 64, "--email: ");
        let wrong = format!("redis://{program}:wrong@{}", redis.address());
        let exit = unlock(program, &wrong, &email).await;
        assert_exit(&exit, 77, "redis refused the login: ");
    }
    let url = redis.url("user-service");
    redis.stop().expect("stopped");
    let exit = unlock("user-service", &url, &email).await;
    assert_exit(&exit, 69, "redis is unavailable: ");
}

#[tokio::test]
async fn startlist_unlocks_in_its_data_directory() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data");
    let running = RunningStartlist::start(&data_dir, &[]).await;
    let data_dir = data_dir.to_str().expect("a path");
    let owner = "owner@example.org";
    let client = || integration_tests::admin_client(running.admin.clone(), None);
    for _ in 0..10 {
        let guess = admin_sign_in(client(), owner, "not the password").await;
        assert_rejected(guess, reason::UNAUTHENTICATED);
    }
    let arguments = ["--data-dir", data_dir, "unlock", "--email", owner];
    let exit = Program::start("startlist", &arguments, &[]).exit().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let lines: Vec<_> = exit.stdout.lines().collect();
    let user = format!("no user has the address {owner}");
    let admin = format!("the admin {owner} can sign in again");
    assert_eq!(lines, [user, admin]);
    let password = running.owner_password();
    let signed_in = admin_sign_in(client(), owner, &password).await;
    signed_in.expect("signed in");

    let user = integration_tests::user_client(running.user.clone(), None);
    let unknown = sign_in(user, owner, &password).await;
    assert_rejected(unknown, reason::UNAUTHENTICATED);
    running.stop().await;
}
