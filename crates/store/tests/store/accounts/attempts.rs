//! How many attempts to give a password may fail, so that nobody can guess it and nobody can lock
//! the person out.

use std::time::Duration;

use domain::{Rejection, SessionToken, TokenHash, UserId};
use store::accounts::{
    ATTEMPT_DAY, ATTEMPT_WINDOW, MAX_FAILED_ATTEMPTS, MAX_FAILED_ATTEMPTS_A_DAY, NETWORK_LIFETIME,
    Unlocked,
};
use store::users::NewUser;
use store::{Origin, SignInAttempt, UserStore};

use crate::lists::counted;
use crate::world::{MINUTE, World, email, join_all, network, new_user, password, rejection};

/// Begins to sign in as `<name>@example.org` from `192.0.<number>.0/24`.
async fn attempt(world: &World, name: &str, number: u8) -> store::Result<SignInAttempt<UserId>> {
    let origin = Origin::network(network(number));
    world.user.credentials().begin(&email(name), origin).await
}

/// Fails to sign in. Returns how often that was possible, of so many times.
async fn fail(world: &World, name: &str, number: u8, times: u32) -> u32 {
    let mut failed = 0;
    for _ in 0..times {
        failed += u32::from(attempt(world, name, number).await.is_ok());
    }
    failed
}

async fn sign_in(world: &World, name: &str, number: u8) {
    let attempt = attempt(world, name, number).await.expect("an attempt");
    let opened = world.user.credentials().open_session(&attempt).await;
    opened.expect("signed in");
}

/// Fails from so many networks, each as often as it can.
async fn fail_from(world: &World, name: &str, networks: std::ops::Range<u8>) -> u32 {
    let mut failed = 0;
    for number in networks {
        failed += fail(world, name, number, MAX_FAILED_ATTEMPTS + 1).await;
    }
    failed
}

fn retry_after<T: std::fmt::Debug>(refused: store::Result<T>) -> Duration {
    match rejection(refused) {
        Rejection::TooManySignIns { retry_after } => retry_after,
        other => panic!("{other:?}"),
    }
}

/// Moves the ends of all windows of a key into the past.
async fn end_windows(world: &World, key: &str) {
    let fields: Vec<String> = world.root(&["HKEYS", key]).await;
    for field in fields {
        let _: i64 = world.root(&["HSET", key, &field, "10 1000"]).await;
    }
}

#[tokio::test]
async fn ten_failures_from_a_network_refuse_that_network_only_known_or_unknown_address() {
    let world = World::new().await;
    world.sign_up("ada").await;
    world.sign_up("bob").await;
    for name in ["ada", "unknown"] {
        assert_eq!(fail(&world, name, 1, 11).await, MAX_FAILED_ATTEMPTS);
        let wait = retry_after(attempt(&world, name, 1).await);
        assert!(wait <= ATTEMPT_WINDOW && wait > ATTEMPT_WINDOW / 2);
        assert_eq!(fail(&world, name, 2, 1).await, 1);
    }
    assert_eq!(fail(&world, "bob", 1, 1).await, 1);
    let unknown = attempt(&world, "somebody", 1).await.expect("an attempt");
    assert_eq!(unknown.credential(), None);
    let opened = world.user.credentials().open_session(&unknown).await;
    assert_eq!(rejection(opened), Rejection::Unauthenticated);
}

#[tokio::test]
async fn of_eight_guessers_at_the_same_time_exactly_ten_guesses_are_made() {
    let world = World::new().await;
    world.sign_up("ada").await;
    for name in ["ada", "unknown"] {
        let guessers = join_all((0..8).map(|_| fail(&world, name, 1, 8))).await;
        assert_eq!(guessers.iter().sum::<u32>(), MAX_FAILED_ATTEMPTS, "{name}");
    }
}

#[tokio::test]
async fn a_hundred_failures_a_day_refuse_all_networks_that_the_person_never_signed_in_from() {
    let world = World::new().await;
    world.sign_up("ada").await;
    sign_in(&world, "ada", 1).await;
    for name in ["ada", "unknown"] {
        let failed = fail_from(&world, name, 10..22).await;
        assert_eq!(failed, MAX_FAILED_ATTEMPTS_A_DAY, "{name}");
        let wait = retry_after(attempt(&world, name, 99).await);
        assert!(wait <= ATTEMPT_DAY && wait > ATTEMPT_DAY / 2, "{name}");
    }
    sign_in(&world, "ada", 1).await;
    // The known network has limits of its own.
    assert_eq!(fail(&world, "ada", 1, 11).await, MAX_FAILED_ATTEMPTS);
    assert!(attempt(&world, "ada", 1).await.is_err());
}

#[tokio::test]
async fn a_known_network_has_a_hundred_failures_a_day_too() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    sign_in(&world, "ada", 1).await;
    let failures = format!("u:{{{ada}}}:failures");
    let mut failed = 0;
    for _ in 0..12 {
        failed += fail(&world, "ada", 1, 11).await;
        // The next window of 15 minutes begins. The field of the network has no `/day`.
        let fields: Vec<String> = world.root(&["HKEYS", &failures]).await;
        for field in fields.iter().filter(|field| !field.ends_with("/day")) {
            let _: i64 = world.root(&["HDEL", &failures, field]).await;
        }
    }
    assert_eq!(failed, MAX_FAILED_ATTEMPTS_A_DAY);
}

#[tokio::test]
async fn the_network_of_a_sign_up_is_known() {
    let world = World::new().await;
    let new = NewUser {
        network: Some(network(1)),
        ..new_user("ada")
    };
    let made = world.user.sign_up(&new, &password("ada")).await;
    made.expect("an account");
    fail_from(&world, "ada", 10..21).await;
    assert!(attempt(&world, "ada", 99).await.is_err());
    sign_in(&world, "ada", 1).await;
}

#[tokio::test]
async fn a_blocked_network_refuses_only_accounts_that_never_signed_in_from_it() {
    let world = World::new().await;
    for name in ["ada", "bob"] {
        world.sign_up(name).await;
    }
    sign_in(&world, "ada", 1).await;
    let wait = Duration::from_secs(77);
    let blocked = Origin::blocked_network(network(1), wait);
    let begin = async |name| world.user.credentials().begin(&email(name), blocked).await;
    for name in ["bob", "unknown"] {
        assert_eq!(retry_after(begin(name).await), wait);
    }
    for _ in 0..MAX_FAILED_ATTEMPTS {
        begin("ada").await.expect("known");
    }
    assert!(retry_after(begin("ada").await) > wait);
}

#[tokio::test]
async fn a_right_password_clears_the_window_of_its_network_and_no_failure_of_others() {
    let world = World::new().await;
    world.sign_up("ada").await;
    sign_in(&world, "ada", 1).await;
    let failed = fail_from(&world, "ada", 10..19).await;
    assert_eq!(failed, 90);
    assert_eq!(fail(&world, "ada", 1, 9).await, 9);
    sign_in(&world, "ada", 1).await;
    assert_eq!(fail(&world, "ada", 1, 10).await, 10);
    assert_eq!(fail_from(&world, "ada", 20..30).await, 10);
}

#[tokio::test]
async fn an_attempt_that_is_taken_back_does_not_count() {
    let world = World::new().await;
    world.sign_up("ada").await;
    let credentials = world.user.credentials();
    for _ in 0..30 {
        let attempt = attempt(&world, "ada", 1).await.expect("an attempt");
        let released = credentials.release(attempt.reservation()).await;
        released.expect("taken back");
    }
    assert_eq!(fail(&world, "ada", 1, 11).await, MAX_FAILED_ATTEMPTS);
}

#[tokio::test]
async fn an_attempt_of_an_earlier_window_takes_nothing_back() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    let earlier = attempt(&world, "ada", 1).await.expect("an attempt");
    end_windows(&world, &format!("u:{{{ada}}}:failures")).await;
    assert_eq!(fail(&world, "ada", 1, 11).await, MAX_FAILED_ATTEMPTS);
    let credentials = world.user.credentials();
    let released = credentials.release(earlier.reservation()).await;
    released.expect("a reply");
    assert!(attempt(&world, "ada", 1).await.is_err());
}

#[tokio::test]
async fn failures_stop_to_count_at_the_end_of_their_windows() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    fail_from(&world, "ada", 1..12).await;
    let failures = format!("u:{{{ada}}}:failures");
    let kept: i64 = world.root(&["PTTL", &failures]).await;
    assert!(Duration::from_millis(kept.unsigned_abs()) <= ATTEMPT_DAY);
    assert!(attempt(&world, "ada", 99).await.is_err());
    end_windows(&world, &failures).await;
    assert_eq!(fail(&world, "ada", 1, 1).await, 1);
    let fields: i64 = world.root(&["HLEN", &failures]).await;
    assert_eq!(fields, 2, "ended windows are deleted");
}

#[tokio::test]
async fn at_most_sixteen_networks_are_known_for_ninety_days() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    for number in 1..=17 {
        sign_in(&world, "ada", number).await;
    }
    let networks = format!("u:{{{ada}}}:networks");
    let count: i64 = world.root(&["HLEN", &networks]).await;
    assert_eq!(count, 16);
    let kept: i64 = world.root(&["PTTL", &networks]).await;
    assert!(Duration::from_millis(kept.unsigned_abs()) <= NETWORK_LIFETIME);
    fail_from(&world, "ada", 100..111).await;
    assert!(attempt(&world, "ada", 1).await.is_err(), "the oldest");
    sign_in(&world, "ada", 2).await;

    let long_ago = world.user.now().as_millis() - 90 * 24 * 60 * MINUTE - 1;
    let fields: Vec<String> = world.root(&["HKEYS", &networks]).await;
    for field in fields {
        let words = ["HSET", &networks, &field, &long_ago.to_string()];
        let _: i64 = world.root(&words).await;
    }
    assert!(attempt(&world, "ada", 2).await.is_err(), "90 days ago");
}

#[tokio::test]
async fn no_network_is_stored_in_clear() {
    let world = World::new().await;
    world.sign_up("ada").await;
    sign_in(&world, "ada", 123).await;
    fail(&world, "ada", 123, 1).await;
    for (key, value) in world.everything().await {
        let value = String::from_utf8_lossy(&value).into_owned();
        assert!(!value.contains("192.0.123"), "{key}");
    }
}

async fn confirm(world: &World, user: &UserId, session: TokenHash, times: u32) -> u32 {
    let (credentials, mut failed) = (world.user.credentials(), 0);
    for _ in 0..times {
        let begun = credentials.begin_confirmation(user, session).await;
        failed += u32::from(begun.is_ok());
    }
    failed
}

#[tokio::test]
async fn a_session_is_hindered_by_its_own_failures_only() {
    let world = World::new().await;
    let (ada, stolen) = world.sign_up("ada").await;
    sign_in(&world, "ada", 1).await;
    let stolen = stolen.token.hash();
    let other = SessionToken::of_user(&ada, &[7; 32]).hash();
    fail_from(&world, "ada", 1..12).await;
    assert_eq!(confirm(&world, &ada, stolen, 20).await, MAX_FAILED_ATTEMPTS);
    assert_eq!(confirm(&world, &ada, other, 1).await, 1);
    // Confirmations do not hinder a sign-in either.
    end_windows(&world, &format!("u:{{{ada}}}:failures")).await;
    sign_in(&world, "ada", 1).await;
}

#[tokio::test]
async fn failures_count_while_memory_is_full() {
    let world = World::new().await;
    world.sign_up("ada").await;
    attempt(&world, "ada", 2).await.expect("connected");
    let _: String = world.root(&["CONFIG", "SET", "maxmemory", "1"]).await;
    for name in ["ada", "unknown"] {
        assert_eq!(
            fail(&world, name, 1, 11).await,
            MAX_FAILED_ATTEMPTS,
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_unlocked_account_can_sign_in_at_once_and_from_a_named_network_for_good() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let credentials = world.user.credentials();
    let unlock = async |name, network| {
        let unlocked = credentials.unlock(&email(name), network).await;
        unlocked.expect("a reply")
    };
    assert_eq!(unlock("unknown", None).await, Unlocked::NoAccount);
    assert_eq!(unlock("ada", None).await, Unlocked::NothingCounted);
    fail_from(&world, "ada", 1..12).await;
    confirm(&world, &ada, session.token.hash(), 20).await;
    assert_eq!(unlock("ada", None).await, Unlocked::Cleared);
    assert_eq!(confirm(&world, &ada, session.token.hash(), 1).await, 1);
    sign_in(&world, "ada", 1).await;

    unlock("ada", Some(network(50))).await;
    fail_from(&world, "ada", 100..112).await;
    assert!(attempt(&world, "ada", 99).await.is_err());
    let blocked = Origin::blocked_network(network(50), Duration::from_secs(1));
    let begun = world.user.credentials().begin(&email("ada"), blocked).await;
    begun.expect("the network is known");
}

#[tokio::test]
async fn an_erased_account_leaves_no_attempt_and_no_network() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    sign_in(&world, "ada", 1).await;
    fail(&world, "ada", 1, 1).await;
    confirm(&world, &ada, session.token.hash(), 1).await;
    let keys = ["failures", "confirmations", "networks"].map(|key| format!("u:{{{ada}}}:{key}"));
    let exist = async || -> i64 { world.root(&["EXISTS", &keys[0], &keys[1], &keys[2]]).await };
    assert_eq!(exist().await, 3);
    world.erase("ada", &ada, &session).await;
    assert_eq!(exist().await, 0);
}

#[tokio::test]
async fn invented_addresses_fill_a_bounded_number_of_keys_that_expire() {
    let world = World::new().await;
    let names: Vec<_> = (0..50).map(|number| format!("invented-{number}")).collect();
    for name in &names {
        fail(&world, name, 1, 1).await;
    }
    let keys: Vec<String> = world.root(&["KEYS", "u:{*}:failures"]).await;
    for key in keys {
        let id = key.trim_start_matches("u:{unclaimed-");
        assert_eq!(id.find('}'), Some(4), "{key}: one of 65,536");
        let kept: i64 = world.root(&["PTTL", &key]).await;
        assert!(kept > 0, "{key} expires");
    }
}

#[tokio::test]
async fn the_only_owner_signs_in_from_home_whatever_strangers_do() {
    let world = World::new().await;
    let credentials = world.admin.credentials();
    let begin = async |number| {
        let origin = Origin::network(network(number));
        credentials.begin(&email("olga"), origin).await
    };
    let home = begin(1).await.expect("an attempt");
    credentials.open_session(&home).await.expect("signed in");
    for number in 10..22 {
        while begin(number).await.is_ok() {}
    }
    let home = begin(1).await.expect("an attempt");
    credentials.open_session(&home).await.expect("signed in");
    assert!(begin(99).await.is_err());
}

#[tokio::test]
async fn a_sign_in_takes_three_round_trips_and_a_wrong_password_two() {
    let world = World::new().await;
    world.sign_up("ada").await;
    let (redis, round_trips) = counted(&world, "user-service").await;
    let credentials = UserStore::new(&redis).credentials();
    let (ada, here) = (email("ada"), Origin::network(network(1)));
    // Connects and loads the scripts.
    let first = credentials.begin(&ada, here).await.expect("an attempt");
    credentials.open_session(&first).await.expect("signed in");

    let (attempt, trips) = round_trips.count(credentials.begin(&ada, here)).await;
    assert_eq!(trips, 2);
    let attempt = attempt.expect("an attempt");
    let (opened, trips) = round_trips.count(credentials.open_session(&attempt)).await;
    assert_eq!(trips, 1);
    opened.expect("signed in");
}
