//! Sessions and how they end.

use domain::{Rejection, SessionToken, UserId};

use super::{begin, is_open, sign_in};
use crate::world::{World, new_request, password, rejection};

#[tokio::test]
async fn a_session_ends_with_the_sign_out() {
    let world = World::new().await;
    let (ada, first) = world.sign_up("ada").await;
    let second = sign_in(&world, "ada").await;
    let hash = Some(first.token.hash());
    let ended = world.user.end_user_sessions(&ada, hash).await;
    ended.expect("signed out");
    assert!(!is_open(&world, &first).await && is_open(&world, &second).await);

    let third = sign_in(&world, "ada").await;
    let ended = world.user.end_user_sessions(&ada, None).await;
    ended.expect("signed out everywhere");
    assert!(!is_open(&world, &second).await && !is_open(&world, &third).await);
}

#[tokio::test]
async fn a_changed_password_ends_all_other_sessions() {
    let world = World::new().await;
    let (ada, first) = world.sign_up("ada").await;
    let second = sign_in(&world, "ada").await;
    let earlier = begin(&world, "ada").await;
    let (old, new) = (password("ada"), password("better"));
    let kept = second.token.hash();
    let changed = world
        .user
        .change_password(&ada, &old, &new, kept, new_request());
    changed.await.expect("changed");
    assert!(!is_open(&world, &first).await && is_open(&world, &second).await);
    let credential = world.user.user_credential(&ada).await;
    assert_eq!(credential.expect("a credential"), new);

    // The password of this attempt was looked up before the change.
    let opened = world.user.credentials().open_session(&earlier).await;
    assert_eq!(rejection(opened), Rejection::Unauthenticated);
}

#[tokio::test]
async fn an_outdated_hash_is_replaced_unless_the_password_was_changed() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let credentials = world.user.credentials();
    let hash = async || {
        world
            .user
            .user_credential(&ada)
            .await
            .expect("a credential")
    };
    let attempt = begin(&world, "ada").await;
    let renewed = credentials.renew_hash(&attempt, &password("renewed")).await;
    renewed.expect("a reply");
    assert_eq!(hash().await, password("renewed"));
    assert!(is_open(&world, &session).await);

    // This attempt was checked against the first hash.
    let late = credentials.renew_hash(&attempt, &password("late")).await;
    late.expect("a reply");
    assert_eq!(hash().await, password("renewed"));
}

#[tokio::test]
async fn a_session_expires() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let sessions = format!("u:{{{ada}}}:sessions");
    let hash = session.token.hash().to_string();
    let long_ago = "1000000000000 1000000000001";
    let _: i64 = world.root(&["HSET", &sessions, &hash, long_ago]).await;
    assert!(!is_open(&world, &session).await);
    let lifetime: i64 = world.root(&["PTTL", &sessions]).await;
    assert!(lifetime > 0, "no session is kept for ever");
    let (open, _) = world.user.account_history(&ada).await.expect("a history");
    assert_eq!(open, []);
}

#[tokio::test]
async fn the_oldest_of_more_than_twenty_sessions_is_deleted() {
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
async fn an_invented_token_and_a_token_of_the_other_service_open_nothing() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let stranger = UserId::parse("stranger").expect("an id");
    for id in [&ada, &stranger] {
        let invented = SessionToken::of_user(id, &[7; 32]);
        let found = world.user.user_session(&invented).await;
        assert_eq!(found.expect("a reply"), None);
    }
    let as_admin = world.admin.admin_session(&session.token).await;
    assert_eq!(as_admin.expect("a reply"), None);
}
