use std::sync::mpsc;

use super::*;
use crate::network::Network;

fn password(text: &str) -> Password {
    Password::parse(text.to_owned()).expect("a password")
}

fn caller() -> HashCaller {
    HashCaller::SignIn(Network::containing([192, 0, 2, 1].into()))
}

async fn verify(
    passwords: &Passwords,
    typed: &str,
    stored: Option<&PasswordHash>,
) -> Result<PasswordMatch, Failure> {
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
        ("four words by the lake", PasswordMatch::Yes),
        ("four words by the sea", PasswordMatch::No),
    ] {
        let verified = verify(&passwords, typed, Some(&stored)).await;
        assert_eq!(verified.expect("a permit"), matches, "{typed}");
    }
}

#[tokio::test]
async fn a_password_matches_its_hash_however_it_is_typed() {
    let passwords = Passwords::new();
    let composed = password("pässwörtér lang");
    let stored = passwords.hash(caller(), composed).await.expect("a hash");
    for (typed, matches) in [
        (
            "pa\u{308}sswo\u{308}rte\u{301}r\u{A0}lang",
            PasswordMatch::Yes,
        ),
        ("pa\u{308}sswo\u{308}rte\u{301}r kurz", PasswordMatch::No),
    ] {
        let verified = verify(&passwords, typed, Some(&stored)).await;
        assert_eq!(verified.expect("a permit"), matches, "{typed}");
    }
}

#[tokio::test]
async fn a_hash_of_the_password_as_typed_matches_and_is_outdated() {
    let passwords = Passwords::new();
    let typed = "pa\u{308}sswo\u{308}rter";
    let salt = Salt::generate();
    let output = Hasher::ours()
        .expect("a hasher")
        .run(typed.as_bytes(), &salt);
    let phc = Phc {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params().expect("parameters")).expect("a text"),
        salt: Some(salt),
        hash: Some(output.expect("a hash")),
    };
    let stored = PasswordHash::new(phc.to_string());
    let verified = verify(&passwords, typed, Some(&stored)).await;
    let PasswordMatch::Outdated(new) = verified.expect("a permit") else {
        panic!("the hash is of the password as it was typed");
    };
    for typed in [typed, "pässwörter"] {
        let verified = verify(&passwords, typed, Some(&new)).await;
        assert_eq!(verified.expect("a permit"), PasswordMatch::Yes, "{typed}");
    }
    let composed = verify(&passwords, "pässwörter", Some(&stored)).await;
    assert_eq!(composed.expect("a permit"), PasswordMatch::No);
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
    assert_eq!(verified.expect("a permit"), PasswordMatch::No);
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
