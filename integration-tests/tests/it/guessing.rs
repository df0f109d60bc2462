//! Somebody guesses passwords, or floods the calls that hash them. This must find nothing, and must
//! hinder nobody who is signed in, or who signs in from where they did before.
//!
//! The networks are those of 127.0.0.0/8; see `integration_tests::Startlist::user_service_from`.

use std::future::Future;
use std::time::Duration;

use api::user::{ChangePasswordRequest, SignUpRequest};
use futures::future::join_all;
use integration_tests::{
    PASSWORD, Reason, Startlist, UserClient, admin_sign_in, assert_rejected, code_and_reason,
    reason, sign_in,
};
use testkit::eventually;
use tokio::task::JoinSet;
use tonic::Status;

const WRONG: &str = "not the password";

fn is<T: std::fmt::Debug>(reply: &Result<T, Status>, reason: Reason) -> bool {
    reply.is_err() && code_and_reason(reply).1 == reason.name
}

#[tokio::test]
async fn strangers_lock_themselves_out_and_neither_a_session_nor_a_known_network() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let at_home = sign_in(app.user_service_from(1), &ada.email, PASSWORD).await;
    at_home.expect("signed in");
    // From the network of the session too, and from another one.
    for stranger in [app.user_service(), app.user_service_from(2)] {
        for _ in 0..10 {
            let guess = sign_in(stranger.clone(), &ada.email, WRONG).await;
            assert_rejected(guess, reason::UNAUTHENTICATED);
        }
        let guess = sign_in(stranger, &ada.email, PASSWORD).await;
        assert_rejected(guess, reason::TOO_MANY_SIGN_INS);
    }
    let at_home = sign_in(app.user_service_from(1), &ada.email, PASSWORD).await;
    at_home.expect("signed in");

    let request = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: "quite another password".to_owned(),
        ..Default::default()
    };
    let changed = ada.calls().change_password(request).await;
    changed.expect("the session is not hindered");
    let deleted = ada.delete("quite another password").await;
    deleted.expect("the session is not hindered");
}

#[tokio::test]
async fn strangers_keep_the_only_owner_neither_from_signing_in_nor_from_the_session() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let at_home = admin_sign_in(app.admin_service_from(1), &owner.email, PASSWORD).await;
    at_home.expect("signed in");
    for _ in 0..10 {
        let guess = admin_sign_in(app.admin_service_from(2), &owner.email, WRONG).await;
        assert_rejected(guess, reason::UNAUTHENTICATED);
    }
    let guess = admin_sign_in(app.admin_service_from(2), &owner.email, PASSWORD).await;
    assert_rejected(guess, reason::TOO_MANY_SIGN_INS);
    let at_home = admin_sign_in(app.admin_service_from(1), &owner.email, PASSWORD).await;
    at_home.expect("signed in");
    owner.me().await.expect("the session stays open");
}

#[tokio::test]
async fn a_blocked_network_does_not_hinder_a_session() {
    let app = Startlist::with(&["--network-sign-in-failures", "1"]).await;
    let ada = app.new_user("ada").await;
    let guess = app.sign_in("nobody@example.org", WRONG).await;
    assert_rejected(guess, reason::UNAUTHENTICATED);
    let blocked = app.sign_in(&ada.email, PASSWORD).await;
    assert_rejected(blocked, reason::TOO_MANY_SIGN_INS);
    ada.delete(PASSWORD).await.expect("deleted");
}

#[tokio::test]
async fn wrong_passwords_of_a_session_hinder_that_session_only() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let other = app.sign_in(&ada.email, PASSWORD).await.expect("signed in");
    for _ in 0..10 {
        assert_rejected(ada.delete(WRONG).await, reason::UNAUTHENTICATED);
    }
    assert_rejected(ada.delete(PASSWORD).await, reason::TOO_MANY_SIGN_INS);
    app.sign_in(&ada.email, PASSWORD).await.expect("signed in");
    let request = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: "quite another password".to_owned(),
        ..Default::default()
    };
    let mut other = app.user_service_as(&other.session_token);
    let changed = other.change_password(request).await;
    changed.expect("it locks a stolen session out");
    assert_rejected(ada.me().await, reason::UNAUTHENTICATED);
}

#[tokio::test]
async fn of_guesses_at_the_same_time_exactly_ten_are_checked() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    for email in [ada.email.as_str(), "nobody@example.org"] {
        let guesser = async || {
            let mut checked = 0;
            for _ in 0..8 {
                let guess = app.sign_in(email, WRONG).await;
                checked += usize::from(is(&guess, reason::UNAUTHENTICATED));
            }
            checked
        };
        // An overloaded server checks fewer of these, and the rest later.
        let checked: usize = join_all((0..8).map(|_| guesser())).await.iter().sum();
        assert!(checked <= 10, "{email}: {checked}");
        let mut later = 0;
        eventually("no guess is left", async || {
            let guess = app.sign_in(email, WRONG).await;
            later += usize::from(is(&guess, reason::UNAUTHENTICATED));
            is(&guess, reason::TOO_MANY_SIGN_INS)
        })
        .await;
        assert_eq!(checked + later, 10, "{email}");
    }
}

#[tokio::test]
async fn a_sign_in_that_the_server_was_too_busy_for_does_not_count() {
    let app = Startlist::with(&["--network-sign-in-failures", "0"]).await;
    let ada = app.new_user("ada").await;
    let flooding = flood_sign_ins(&app);
    let mut overloaded = 0;
    while overloaded < 30 {
        let signed_in = app.sign_in(&ada.email, PASSWORD).await;
        let is_overloaded = is(&signed_in, reason::OVERLOADED);
        assert!(signed_in.is_ok() || is_overloaded, "{signed_in:?}");
        overloaded += usize::from(is_overloaded);
    }
    drop(flooding);
    let failures = format!("u:{{{}}}:failures", ada.id);
    eventually("nothing counts", async || {
        let counted: i64 = app.redis.root(&["HLEN", &failures]).await;
        counted == 0
    })
    .await;
}

/// Floods `SignIn` from the network of the tests, for addresses that do not exist.
fn flood_sign_ins(app: &Startlist) -> JoinSet<()> {
    let greedy = app.user_service();
    flood(move |number| {
        let greedy = greedy.clone();
        async move {
            let _ = sign_in(greedy, &format!("nobody-{number}@example.org"), WRONG).await;
        }
    })
}

fn sign_up_request(name: &str) -> SignUpRequest {
    SignUpRequest {
        email: format!("{name}@example.org"),
        password: PASSWORD.to_owned(),
        display_name: name.to_owned(),
        ..Default::default()
    }
}

/// Makes these calls one after the other in many tasks, until it is dropped.
fn flood<F: Future<Output = ()> + Send>(
    call: impl Fn(usize) -> F + Clone + Send + 'static,
) -> JoinSet<()> {
    let mut flood = JoinSet::new();
    // More than are hashed and wait on a machine with 64 cores.
    for task in 0..64 {
        let call = call.clone();
        flood.spawn(async move {
            for number in 0.. {
                call(task * 1_000_000 + number).await;
            }
        });
    }
    flood
}

/// Calls until this reason is returned: the flood has filled a queue.
async fn wait_until_overloaded(client: UserClient, request: SignUpRequest) {
    eventually("the server is overloaded", async || {
        let reply = client.clone().sign_up(request.clone()).await;
        is(&reply, reason::OVERLOADED)
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_sign_ups_hinders_neither_sign_ins_nor_sign_ups_from_elsewhere() {
    let app = Startlist::with(&["--sign-ups-per-hour", "0"]).await;
    let ada = app.new_user("ada").await;
    let greedy = app.user_service();
    let flooding = flood(move |number| {
        let mut greedy = greedy.clone();
        async move {
            let _ = greedy
                .sign_up(sign_up_request(&format!("flood-{number}")))
                .await;
        }
    });
    wait_until_overloaded(app.user_service(), sign_up_request("probe")).await;
    for client in [app.user_service(), app.user_service_from(1)] {
        for _ in 0..3 {
            let signed_in = sign_in(client.clone(), &ada.email, PASSWORD).await;
            signed_in.expect("signed in");
        }
    }
    for name in ["ben", "cleo"] {
        let reply = app
            .user_service_from(1)
            .sign_up(sign_up_request(name))
            .await;
        reply.expect("signed up");
    }
    drop(flooding);
}

#[tokio::test]
async fn a_flood_of_wrong_sign_ins_does_not_hinder_sign_ins_from_elsewhere() {
    let app = Startlist::with(&["--network-sign-in-failures", "0"]).await;
    let ada = app.new_user("ada").await;
    let flooding = flood_sign_ins(&app);
    eventually("the server is overloaded", async || {
        let reply = app.sign_in("nobody@example.org", WRONG).await;
        is(&reply, reason::OVERLOADED)
    })
    .await;
    for _ in 0..5 {
        let signed_in = sign_in(app.user_service_from(1), &ada.email, PASSWORD).await;
        signed_in.expect("signed in");
    }
    drop(flooding);
}

#[tokio::test]
async fn a_network_creates_a_limited_number_of_accounts() {
    let app = Startlist::with(&["--sign-ups-per-hour", "2"]).await;
    let sign_up = async |request: SignUpRequest| app.user_service().sign_up(request).await;
    let invalid = sign_up(sign_up_request("")).await;
    assert_rejected(invalid, reason::INVALID_FIELDS);
    let ada = SignUpRequest {
        request_id: "0190b2a4-5b1c-4f7e-9d3a-2f6c8e1b7a90".to_owned(),
        ..sign_up_request("ada")
    };
    let first = sign_up(ada.clone()).await.expect("signed up").into_inner();
    for _ in 0..3 {
        let taken = sign_up(sign_up_request("ada")).await;
        assert_rejected(taken, reason::EMAIL_TAKEN);
        sign_up(ada.clone()).await.expect("a repetition");
    }
    sign_up(sign_up_request("ben")).await.expect("signed up");

    let refusal = assert_rejected(
        sign_up(sign_up_request("cleo")).await,
        reason::TOO_MANY_SIGN_UPS,
    );
    let retry = refusal.details.retry_info().expect("RetryInfo");
    let wait = retry.retry_delay.expect("a delay");
    assert!(wait > Duration::from_secs(25 * 60) && wait <= Duration::from_secs(30 * 60));
    let again = sign_up(ada).await.expect("a repetition").into_inner();
    assert_eq!(again, first);
    let mut elsewhere = app.user_service_from(1);
    let signed_up = elsewhere.sign_up(sign_up_request("cleo")).await;
    signed_up.expect("signed up");
}
