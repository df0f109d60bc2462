//! Sessions and their ends.

use domain::{Rejection, SessionToken, UserId};

use super::{is_open, sign_in};
use crate::world::{World, email, new_request, password, rejection};

#[tokio::test]
async fn a_session_ends_by_sign_out_with_the_next_call() {
    let world = World::new().await;
    let (ada, first) = world.sign_up("ada").await;
    let second = sign_in(&world, "ada").await;
    world
        .user
        .end_user_sessions(&ada, Some(first.token.hash()))
        .await
        .expect("signed out");
    assert!(!is_open(&world, &first).await && is_open(&world, &second).await);
    let third = sign_in(&world, "ada").await;
    world
        .user
        .end_user_sessions(&ada, None)
        .await
        .expect("signed out everywhere");
    assert!(!is_open(&world, &second).await && !is_open(&world, &third).await);
}

#[tokio::test]
async fn a_changed_password_ends_all_other_sessions() {
    let world = World::new().await;
    let (ada, first) = world.sign_up("ada").await;
    let second = sign_in(&world, "ada").await;
    let late = world
        .user
        .credentials()
        .find(&email("ada"))
        .await
        .expect("an attempt");
    let (old, new) = (password("ada"), password("better"));
    let kept = second.token.hash();
    let changed = world
        .user
        .change_password(&ada, &old, &new, kept, new_request())
        .await;
    changed.expect("changed");
    assert!(!is_open(&world, &first).await && is_open(&world, &second).await);
    assert_eq!(
        world
            .user
            .user_credential(&ada)
            .await
            .expect("a credential"),
        new
    );
    // A sign-in whose password was checked before opens nothing any more.
    assert_eq!(
        rejection(world.user.credentials().open_session(&late).await),
        Rejection::Unauthenticated
    );
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let sessions = format!("u:{{{ada}}}:sessions");
    let hash = session.token.hash().to_string();
    let long_ago = "1000000000000 1000000000001";
    let _: i64 = world.root(&["HSET", &sessions, &hash, long_ago]).await;
    assert!(!is_open(&world, &session).await);
    let life: i64 = world.root(&["PTTL", &sessions]).await;
    assert!(life > 0, "none of them is kept for ever");
    let (open, _) = world.user.account_history(&ada).await.expect("a history");
    assert_eq!(open, []);
}

#[tokio::test]
async fn twenty_sessions_are_kept_and_the_oldest_makes_room() {
    let world = World::new().await;
    let (ada, first) = world.sign_up("ada").await;
    let mut sessions = Vec::new();
    for _ in 0..20 {
        sessions.push(sign_in(&world, "ada").await);
    }
    assert!(!is_open(&world, &first).await);
    for session in &sessions {
        assert!(is_open(&world, session).await);
    }
    let (open, _) = world.user.account_history(&ada).await.expect("a history");
    assert_eq!(open.len(), 20);
}

#[tokio::test]
async fn a_token_is_good_for_nobody_else_and_not_when_made_up() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let made_up = SessionToken::of_user(&ada, &[7; 32]);
    assert_eq!(
        world.user.user_session(&made_up).await.expect("an answer"),
        None
    );
    let nobody = UserId::parse("nobody").expect("an id");
    let of_nobody = SessionToken::of_user(&nobody, &[7; 32]);
    assert_eq!(
        world
            .user
            .user_session(&of_nobody)
            .await
            .expect("an answer"),
        None
    );
    let as_admin = world
        .admin
        .admin_session(&session.token)
        .await
        .expect("an answer");
    assert_eq!(as_admin, None, "a user is nobody at admin-service");
}
