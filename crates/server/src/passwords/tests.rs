use std::sync::mpsc;

use super::*;

fn password(text: &str) -> Password {
    Password::parse(text.to_owned()).expect("a password")
}

#[tokio::test]
async fn only_the_right_password_matches_its_hash() {
    let passwords = Passwords::new();
    let stored = passwords
        .hash(password("four words by the lake"))
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
        let verified = passwords.verify(password(typed), Some(&stored)).await;
        assert_eq!(verified.expect("a permit"), matches, "{typed}");
    }
}

#[tokio::test]
async fn two_hashes_of_a_password_differ() {
    let passwords = Passwords::new();
    let one = passwords
        .hash(password("four words by the lake"))
        .await
        .expect("a hash");
    let other = passwords
        .hash(password("four words by the lake"))
        .await
        .expect("a hash");
    assert_ne!(one, other);
}

#[tokio::test]
async fn without_an_account_the_same_work_is_done_in_the_same_memory() {
    let passwords = Passwords::with_workers(1);
    let verified = passwords
        .verify(password("four words by the lake"), None)
        .await;
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
        let verified = passwords
            .verify(
                password("four words by the lake"),
                Some(&PasswordHash::new(foreign.to_owned())),
            )
            .await;
        assert!(matches!(verified, Err(Failure::Internal(_))), "{foreign}");
    }
}

fn is_overloaded<T>(result: &Result<T, Failure>) -> bool {
    matches!(result, Err(Failure::Rejected(rejected))
        if matches!(rejected.rejection, Rejection::Overloaded { .. }))
}

#[tokio::test]
async fn callers_over_the_limit_are_refused_until_a_waiting_caller_is_cancelled() {
    let passwords = Passwords::with_workers(1);
    let _working = passwords.acquire().await.expect("the first permit");
    let mut queue: Vec<_> = (0..MAX_WAITING)
        .map(|_| Box::pin(passwords.acquire()))
        .collect();
    for waiting in &mut queue {
        assert!(futures::poll!(waiting).is_pending());
    }
    assert!(is_overloaded(&passwords.acquire().await));

    drop(queue.pop());
    assert!(futures::poll!(Box::pin(passwords.acquire())).is_pending());
}

#[tokio::test]
async fn a_cancelled_caller_keeps_its_permit_until_the_work_has_ended() {
    let passwords = Passwords::with_workers(1);
    let (started, has_started) = mpsc::channel();
    let (finish, may_finish) = mpsc::channel::<()>();
    let caller = tokio::spawn({
        let passwords = passwords.clone();
        async move {
            passwords
                .work(move || {
                    started.send(()).map_err(fault)?;
                    may_finish.recv().map_err(fault)
                })
                .await
        }
    });
    task::spawn_blocking(move || has_started.recv())
        .await
        .expect("no panic")
        .expect("it started");
    caller.abort();
    assert!(caller.await.is_err_and(|error| error.is_cancelled()));

    let mut next = Box::pin(passwords.acquire());
    assert!(futures::poll!(&mut next).is_pending());
    finish.send(()).expect("the work waits");
    next.await.expect("the permit is free");
}
