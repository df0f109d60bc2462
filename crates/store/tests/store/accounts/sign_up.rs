//! How an account is made, and what a sign-up that was cut off leaves.

use domain::{Email, Rejection, RequestId, UserId};
use store::IssuedSession;
use store::accounts::USER_SESSION_LIFETIME;
use store::users::NewUser;

use super::{is_open, sign_in};
use crate::world::{World, join_all, new_user, password, rejection};

#[tokio::test]
async fn who_signs_up_is_signed_in_and_can_sign_in_again() {
    let world = World::new().await;
    let new = new_user("ada");
    let (ada, first) = world
        .user
        .sign_up(&new, &password("ada"))
        .await
        .expect("an account");
    assert_eq!(
        (&ada.email, &ada.profile, ada.version),
        (&new.email, &new.profile, 1)
    );
    assert_eq!(world.user.get_user(&ada.id).await.expect("a user"), ada);
    let found = world
        .user
        .user_session(&first.token)
        .await
        .expect("an answer");
    assert_eq!(found.as_ref(), Some(&ada.id));
    let life = first.expires_at.as_millis() - ada.created_at.as_millis();
    assert_eq!(u128::try_from(life), Ok(USER_SESSION_LIFETIME.as_millis()));

    let second = sign_in(&world, "ada").await;
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
    let (ada, _) = world
        .user
        .sign_up(&new, &password("ada"))
        .await
        .expect("an account");
    assert_eq!(ada.email.as_str(), "Ada.Lovelace@Example.org");
    let typed = Email::parse("ada.lovelace@example.ORG").expect("an address");
    let attempt = world
        .user
        .credentials()
        .find(&typed)
        .await
        .expect("an attempt");
    assert!(attempt.credential().is_some());
    let found = world
        .admin
        .find_user_by_email(&typed)
        .await
        .expect("an answer");
    assert_eq!(found.map(|user| user.id), Some(ada.id));
    let again = NewUser {
        email: typed,
        ..new_user("ada")
    };
    let taken = world.user.sign_up(&again, &password("ada")).await;
    assert_eq!(rejection(taken), Rejection::EmailTaken);
}

#[tokio::test]
async fn of_many_sign_ups_at_once_with_one_address_one_is_made() {
    let world = World::new().await;
    let other_server = world.another_user_store();
    let attempts: Vec<_> = (0..40).map(|_| new_user("ada")).collect();
    let secret = password("ada");
    let answers = join_all(attempts.iter().enumerate().map(|(n, new)| {
        let server = if n % 2 == 0 {
            &world.user
        } else {
            &other_server
        };
        server.sign_up(new, &secret)
    }))
    .await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    for answer in refused {
        assert_eq!(rejection(answer), Rejection::EmailTaken);
    }
    sign_in(&world, "ada").await;
}

/// A sign-up that a crash cut off: the claim as it is before it is confirmed.
async fn half_made(world: &World, name: &str) -> (NewUser, UserId, IssuedSession<UserId>, String) {
    let new = new_user(name);
    let (user, session) = world
        .user
        .sign_up(&new, &password(name))
        .await
        .expect("an account");
    let keys: Vec<String> = world.root(&["KEYS", "email:*"]).await;
    let mut claim = String::new();
    for key in keys {
        let owner: String = world.root(&["GET", &key]).await;
        if owner == user.id.as_str() {
            claim = key;
        }
    }
    let pending = format!("pending:{}:nonce", user.id);
    let _: String = world.root(&["SET", &claim, &pending, "EX", "600"]).await;
    (new, user.id, session, claim)
}

#[tokio::test]
async fn a_half_made_account_opens_nothing_until_its_request_is_repeated() {
    let world = World::new().await;
    let (new, id, _, _) = half_made(&world, "ada").await;
    let attempt = world
        .user
        .credentials()
        .find(&new.email)
        .await
        .expect("an attempt");
    assert_eq!(attempt.credential(), None);
    assert_eq!(
        world
            .admin
            .find_user_by_email(&new.email)
            .await
            .expect("an answer"),
        None
    );
    let other = NewUser {
        request_id: RequestId::random(),
        ..new.clone()
    };
    let taken = world.user.sign_up(&other, &password("ada")).await;
    assert_eq!(rejection(taken), Rejection::EmailTaken, "for ten minutes");

    let (user, _) = world
        .user
        .sign_up(&new, &password("ada"))
        .await
        .expect("the same account");
    assert_eq!(user.id, id);
    sign_in(&world, "ada").await;
}

#[tokio::test]
async fn a_half_made_account_gives_its_address_up_after_ten_minutes() {
    let world = World::new().await;
    let (new, id, _, claim) = half_made(&world, "ada").await;
    let left: i64 = world.root(&["TTL", &claim]).await;
    assert!((1..=600).contains(&left));
    let _: i64 = world.root(&["DEL", &claim]).await;
    let other = NewUser {
        request_id: RequestId::random(),
        ..new.clone()
    };
    let (user, _) = world
        .user
        .sign_up(&other, &password("ada"))
        .await
        .expect("an account");
    assert_ne!(user.id, id);
    let late = world.user.sign_up(&new, &password("ada")).await;
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
