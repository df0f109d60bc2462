use std::sync::mpsc;

use super::*;
use crate::network::Network;

fn password(text: &str) -> Password {
    Password::parse(text.to_owned()).expect("a password")
}

fn caller() -> HashCaller {
    HashCaller::Person(Network::containing([192, 0, 2, 1].into()))
}

async fn verify(
    passwords: &Passwords,
    typed: &str,
    stored: Option<&PasswordHash>,
) -> Result<bool, Failure> {
    let permit = passwords.acquire(caller()).await.expect("a permit");
    Passwords::verify(permit, password(typed), stored).await
}

#[tokio::test]
async fn only_the_right_password_matches_its_hash() {
    let passwords = Passwords::new();
    let stored = passwords
        .hash(caller(), password("four words by the lake"))
        .await
        .expect("a hash");
    assert!(
        stored
            .as_str()
            .starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{}",
        stored.as_str()
    );
    for (typed, matches) in [
        ("four words by the lake", true),
        ("four words by the sea", false),
    ] {
        let verified = verify(&passwords, typed, Some(&stored)).await;
        assert_eq!(verified.expect("a permit"), matches, "{typed}");
    }
}

#[tokio::test]
async fn two_hashes_of_a_password_differ() {
    let passwords = Passwords::new();
    let one = passwords
        .hash(caller(), password("four words by the lake"))
        .await
        .expect("a hash");
    let other = passwords
        .hash(caller(), password("four words by the lake"))
        .await
        .expect("a hash");
    assert_ne!(one, other);
}

#[tokio::test]
async fn without_an_account_the_same_work_is_done_in_the_same_memory() {
    let passwords = Passwords::with_workers(1);
    let verified = verify(&passwords, "four words by the lake", None).await;
    assert!(!verified.expect("a permit"));
    let decoy = Expected::decoy().expect("a decoy");
    let blocks = decoy.hasher.0.params().block_count();
    assert_eq!(blocks, MEMORY_KIB as usize);
}

#[tokio::test]
async fn a_hash_with_other_parameters_is_an_internal_error() {
    let passwords = Passwords::new();
    for foreign in [
        "",
        "plain",
        "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let foreign_hash = PasswordHash::new(foreign.to_owned());
        let verified = verify(&passwords, "four words by the lake", Some(&foreign_hash)).await;
        assert!(matches!(verified, Err(Failure::Internal(_))), "{foreign}");
    }
}

#[tokio::test]
async fn a_caller_in_front_of_a_full_queue_is_refused_as_overloaded() {
    let passwords = Passwords::with_workers(1);
    let _working = passwords.acquire(caller()).await.expect("a permit");
    let mut queue: Vec<_> = (0..gate::MAX_WAITING)
        .map(|_| Box::pin(passwords.acquire(caller())))
        .collect();
    for waiting in &mut queue {
        assert!(futures::poll!(waiting).is_pending());
    }
    let Err(Failure::Rejected(rejected)) = passwords.acquire(caller()).await else {
        panic!("the queue is full");
    };
    assert!(matches!(rejected.rejection, Rejection::Overloaded { .. }));
}

#[tokio::test]
async fn a_cancelled_caller_keeps_its_permit_until_the_work_has_ended() {
    let passwords = Passwords::with_workers(1);
    let (started, has_started) = mpsc::channel();
    let (finish, may_finish) = mpsc::channel::<()>();
    let working = tokio::spawn({
        let permit = passwords.acquire(caller()).await.expect("a permit");
        work(permit, move || {
            started.send(()).map_err(fault)?;
            may_finish.recv().map_err(fault)
        })
    });
    task::spawn_blocking(move || has_started.recv())
        .await
        .expect("no panic")
        .expect("it started");
    working.abort();
    assert!(working.await.is_err_and(|error| error.is_cancelled()));

    let mut next = Box::pin(passwords.acquire(caller()));
    assert!(futures::poll!(&mut next).is_pending());
    finish.send(()).expect("the work waits");
    next.await.expect("the permit is free");
}
