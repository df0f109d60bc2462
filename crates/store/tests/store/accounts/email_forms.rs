//! One mailbox has one account, also if a release up to 0.1.0 claimed its address in another form.

use domain::{Email, Rejection, RequestId, UserId};
use store::IssuedSession;
use store::admins::NewAdmin;
use store::inspect::Inspector;
use store::keys::People;
use store::users::NewUser;
use testkit::ROOT;

use crate::world::{World, connections, email, here, new_admin, new_user, password, rejection};

fn typed(address: &str) -> Email {
    Email::typed(address).expect(address)
}

async fn sign_up(world: &World, address: &str) -> store::Result<UserId> {
    let new = NewUser {
        email: typed(address),
        ..new_user("new")
    };
    let created = world.user.sign_up(&new, &password("new")).await;
    created.map(|(user, _)| user.id)
}

/// The account that a sign-in with this address finds, by the user whose password it has.
async fn found(world: &World, address: &str) -> Option<String> {
    let attempt = world
        .user
        .credentials()
        .begin(&typed(address), here())
        .await;
    let attempt = attempt.expect("an attempt");
    let credential = attempt.credential()?.as_str().to_owned();
    let user = world.admin.find_user_by_email(&typed(address)).await;
    let user = user.expect("a reply").expect("the same account");
    let stored = world.user.user_credential(&user.id).await;
    assert_eq!(stored.expect("a password").as_str(), credential);
    Some(credential.rsplit(' ').next().expect("a name").to_owned())
}

async fn open(world: &World, address: &str) -> IssuedSession<UserId> {
    let credentials = world.user.credentials();
    let attempt = credentials.begin(&typed(address), here()).await;
    let session = credentials
        .open_session(&attempt.expect("an attempt"))
        .await;
    session.expect("a session")
}

async fn claim_keys(world: &World, email: &Email) -> Vec<String> {
    let inspector = Inspector::new(&connections(&world.redis, ROOT));
    let keys = inspector.email_claim_keys(People::Users, email).await;
    keys.expect("the keys")
}

/// Creates the account of a user, as a release up to 0.1.0 left it with this address.
async fn old_account(world: &World, name: &str, address: &str) -> UserId {
    let (user, _) = world.sign_up(name).await;
    let profile = format!("u:{{{user}}}:profile");
    let _: i64 = world.root(&["HSET", &profile, "email", address]).await;
    let [claim] = claim_keys(world, &email(name))
        .await
        .try_into()
        .expect("one form");
    let old = claim_keys(world, &typed(address)).await;
    let old = old.last().expect("a key");
    let _: String = world.root(&["RENAME", &claim, old]).await;
    user
}

async fn claim_count(world: &World) -> usize {
    let claims: Vec<String> = world.root(&["KEYS", "email:*"]).await;
    claims.len()
}

#[tokio::test]
async fn a_mailbox_has_one_account_however_its_address_is_written() {
    for (first, others) in [
        (
            "b@bücher.example",
            ["B@xn--bcher-kva.example", "b@bu\u{308}cher\u{3002}example"],
        ),
        ("ΟΣ@example.org", ["οσ@example.org", "ος@example.org"]),
        (
            "josé@example.org",
            ["jose\u{301}@example.org", "JOSÉ@EXAMPLE.org"],
        ),
    ] {
        let world = World::new().await;
        sign_up(&world, first).await.expect("an account");
        assert_eq!(found(&world, first).await.as_deref(), Some("new"));
        for other in others {
            let refused = sign_up(&world, other).await;
            assert_eq!(rejection(refused), Rejection::EmailTaken, "{other}");
            assert_eq!(
                found(&world, other).await.as_deref(),
                Some("new"),
                "{other}"
            );
        }
        assert_eq!(claim_count(&world).await, 1);
    }
}

#[tokio::test]
async fn an_older_account_keeps_its_mailbox_and_is_found_by_its_address() {
    for (old, spellings) in [
        (
            "b@bücher.example",
            &["b@bücher.example", "B@XN--BCHER-KVA.example"][..],
        ),
        ("ΟΣ@example.org", &["ΟΣ@example.org", "οσ@example.org"]),
        ("straße@example.org", &["Straße@example.org"]),
        ("\u{1112}\u{1161}\u{11AB}@example.org", &["한@example.org"]),
        ("h@127.0.0.1", &["H@127.0.0.1"]),
        ("\"ada\"@example.org", &["\"Ada\"@example.org"]),
    ] {
        let world = World::new().await;
        old_account(&world, "ada", old).await;
        for spelling in spellings {
            assert_eq!(
                found(&world, spelling).await.as_deref(),
                Some("ada"),
                "{spelling}"
            );
            let refused = sign_up(&world, spelling).await;
            assert_eq!(rejection(refused), Rejection::EmailTaken, "{spelling}");
        }
    }
}

#[tokio::test]
async fn two_older_accounts_of_one_mailbox_are_found_as_they_were_before() {
    let world = World::new().await;
    old_account(&world, "ada", "b@bücher.example").await;
    old_account(&world, "ben", "b@xn--bcher-kva.example").await;
    old_account(&world, "cyd", "ΟΣ@example.org").await;
    old_account(&world, "dan", "οσ@example.org").await;
    for (typed, name) in [
        ("B@bücher.example", "ada"),
        ("b@XN--BCHER-KVA.example", "ben"),
        ("ΟΣ@example.org", "cyd"),
        ("οσ@example.org", "dan"),
    ] {
        assert_eq!(found(&world, typed).await.as_deref(), Some(name), "{typed}");
    }
}

#[tokio::test]
async fn after_a_sign_in_every_spelling_finds_an_older_account() {
    let world = World::new().await;
    let old = old_account(&world, "ada", "straße@bücher.example").await;
    let other = "strasse@bücher.example";
    assert_eq!(found(&world, other).await, None);
    let session = open(&world, "straße@bücher.example").await;
    assert_eq!(found(&world, other).await.as_deref(), Some("ada"));
    let refused = sign_up(&world, other).await;
    assert_eq!(rejection(refused), Rejection::EmailTaken);
    assert_eq!(claim_count(&world).await, 2);
    world.erase("ada", &old, &session).await;
    assert_eq!(claim_count(&world).await, 0);
}

#[tokio::test]
async fn the_mailbox_of_an_older_account_is_free_after_its_erasure() {
    let world = World::new().await;
    let old = old_account(&world, "ada", "b@bücher.example").await;
    let session = open(&world, "b@bücher.example").await;
    world.erase("ada", &old, &session).await;
    assert_eq!(claim_count(&world).await, 0);
    sign_up(&world, "b@bücher.example")
        .await
        .expect("an account");

    // An erasure that was cut off leaves the claim.
    let world = World::new().await;
    let old = old_account(&world, "ada", "b@bücher.example").await;
    let _: i64 = world.root(&["DEL", &format!("u:{{{old}}}:profile")]).await;
    sign_up(&world, "b@bücher.example")
        .await
        .expect("an account");
    assert_eq!(claim_count(&world).await, 1);
}

#[tokio::test]
async fn a_sign_up_that_an_earlier_release_began_is_finished_with_its_claim() {
    let world = World::new().await;
    let new = NewUser {
        email: typed("b@bücher.example"),
        ..new_user("ada")
    };
    let (ada, _) = world
        .user
        .sign_up(&new, &password("ada"))
        .await
        .expect("an account");
    let keys = claim_keys(&world, &new.email).await;
    let pending = format!("pending:{}:nonce", ada.id);
    let _: i64 = world.root(&["DEL", &keys[0]]).await;
    let _: String = world.root(&["SET", &keys[1], &pending, "EX", "600"]).await;
    let other = NewUser {
        request_id: RequestId::random(),
        ..new.clone()
    };
    let refused = world.user.sign_up(&other, &password("ada")).await;
    assert_eq!(rejection(refused), Rejection::EmailTaken, "for ten minutes");

    let (again, _) = world
        .user
        .sign_up(&new, &password("ada"))
        .await
        .expect("the same");
    assert_eq!(again.id, ada.id);
    assert_eq!(claim_count(&world).await, 1);
    assert_eq!(
        found(&world, "b@bücher.example").await.as_deref(),
        Some("ada")
    );
}

#[tokio::test]
async fn a_mailbox_has_one_admin() {
    let world = World::new().await;
    let admin = |address: &str| NewAdmin {
        email: typed(address),
        ..new_admin("zoe", domain::Role::Owner)
    };
    let create = async |address| {
        let new = admin(address);
        world
            .admin
            .create_admin(&world.organiser, &new, &password("zoe"))
            .await
    };
    create("zoe@bücher.example").await.expect("an admin");
    let refused = create("zoe@xn--bcher-kva.example").await;
    assert_eq!(rejection(refused), Rejection::EmailTaken);
    let typed = typed("ZOE@XN--bcher-kva.example");
    let attempt = world.admin.credentials().begin(&typed, here()).await;
    assert_eq!(
        attempt.expect("an attempt").credential(),
        Some(&password("zoe"))
    );
}
