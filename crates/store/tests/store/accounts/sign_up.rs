//! Creating an account, and what a sign-up leaves that was cut off.

use domain::{Email, Rejection, RequestId, User, UserId};
use store::IssuedSession;
use store::accounts::USER_SESSION_LIFETIME;
use store::users::NewUser;

use super::{begin, is_open, sign_in};
use crate::world::{World, email, here, join_all, new_user, password, rejection};

async fn sign_up(world: &World, new: &NewUser) -> store::Result<(User, IssuedSession<UserId>)> {
    world.user.sign_up(new, &password("ada")).await
}

/// The same person with another request.
fn other_request(new: &NewUser) -> NewUser {
    NewUser {
        request_id: RequestId::random(),
        ..new.clone()
    }
}

#[tokio::test]
async fn a_new_user_is_signed_in_and_can_sign_in_again() {
    let world = World::new().await;
    let new = new_user("ada");
    let (ada, first) = sign_up(&world, &new).await.expect("an account");
    assert_eq!(
        (&ada.email, &ada.profile, ada.version),
        (&new.email, &new.profile, 1)
    );
    assert_eq!(world.user.get_user(&ada.id).await.expect("a user"), ada);
    assert_eq!(first.person, ada.id);
    let lifetime = first.expires_at.as_millis() - ada.created_at.as_millis();
    assert_eq!(
        u128::try_from(lifetime),
        Ok(USER_SESSION_LIFETIME.as_millis())
    );

    let second = sign_in(&world, "ada").await;
    assert_eq!(second.person, ada.id);
    assert_ne!(second.token, first.token);
    assert!(is_open(&world, &first).await && is_open(&world, &second).await);
}

#[tokio::test]
async fn an_address_is_kept_as_written_and_found_in_any_case() {
    let world = World::new().await;
    let new = NewUser {
        email: Email::parse("Ada.Lovelace@Example.org").expect("an address"),
        ..new_user("ada")
    };
    let (ada, _) = sign_up(&world, &new).await.expect("an account");
    assert_eq!(ada.email.as_str(), "Ada.Lovelace@Example.org");
    let typed = Email::parse("ada.lovelace@example.ORG").expect("an address");
    let attempt = world.user.credentials().begin(&typed, here()).await;
    assert!(attempt.expect("an attempt").credential().is_some());
    let found = world.admin.find_user_by_email(&typed).await;
    assert_eq!(found.expect("a reply"), Some(ada));
    let again = NewUser {
        email: typed,
        ..new_user("ada")
    };
    let refused = sign_up(&world, &again).await;
    assert_eq!(rejection(refused), Rejection::EmailTaken);
}

#[tokio::test]
async fn of_many_concurrent_sign_ups_with_one_address_one_succeeds() {
    let world = World::new().await;
    let other_server = world.another_user_store();
    let requests: Vec<_> = (0..40).map(|_| new_user("ada")).collect();
    let secret = password("ada");
    let sign_ups = requests.iter().enumerate().map(|(n, new)| {
        let servers = [&world.user, &other_server];
        servers[n % 2].sign_up(new, &secret)
    });
    let results = join_all(sign_ups).await;
    let (created, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(created.len(), 1);
    for result in refused {
        assert_eq!(rejection(result), Rejection::EmailTaken);
    }
    sign_in(&world, "ada").await;
}

/// An account whose claim was not confirmed, because a crash cut the sign-up off. Returns the
/// request, the id and the key of the claim.
async fn unfinished_sign_up(world: &World) -> (NewUser, UserId, String) {
    let new = new_user("ada");
    let (user, _) = sign_up(world, &new).await.expect("an account");
    let keys: Vec<String> = world.root(&["KEYS", "email:*"]).await;
    let [claim] = <[String; 1]>::try_from(keys).expect("one claim");
    let pending = format!("pending:{}:nonce", user.id);
    let _: String = world.root(&["SET", &claim, &pending, "EX", "600"]).await;
    (new, user.id, claim)
}

#[tokio::test]
async fn nobody_can_sign_in_to_an_unfinished_account_until_its_request_is_repeated() {
    let world = World::new().await;
    let (new, id, _) = unfinished_sign_up(&world).await;
    assert_eq!(begin(&world, "ada").await.credential(), None);
    let found = world.admin.find_user_by_email(&email("ada")).await;
    assert_eq!(found.expect("a reply"), None);
    let refused = sign_up(&world, &other_request(&new)).await;
    assert_eq!(rejection(refused), Rejection::EmailTaken, "for ten minutes");

    let (user, _) = sign_up(&world, &new).await.expect("the same account");
    assert_eq!(user.id, id);
    sign_in(&world, "ada").await;
}

#[tokio::test]
async fn an_unfinished_account_loses_its_address_after_ten_minutes() {
    let world = World::new().await;
    let (new, id, claim) = unfinished_sign_up(&world).await;
    let left: i64 = world.root(&["TTL", &claim]).await;
    assert!((1..=600).contains(&left));
    let _: i64 = world.root(&["DEL", &claim]).await;
    let created = sign_up(&world, &other_request(&new)).await;
    assert_ne!(created.expect("an account").0.id, id);
    let late = sign_up(&world, &new).await;
    assert_eq!(rejection(late), Rejection::EmailTaken);
    sign_in(&world, "ada").await;
}

#[tokio::test]
async fn the_address_of_an_erasure_that_was_cut_off_is_free() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    let _: i64 = world.root(&["DEL", &format!("u:{{{ada}}}:profile")]).await;
    world.sign_up("ada").await;
}
