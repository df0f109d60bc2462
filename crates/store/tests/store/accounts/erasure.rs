//! The end of an account.

use domain::{ProfilePatch, RegistrationState, Rejection};

use super::is_open;
use crate::world::{World, email, first_page, new_request, password, places, rejection};

/// The keys whose values hold one of these texts.
async fn keys_with(world: &World, texts: [&str; 2]) -> Vec<String> {
    let mut keys = Vec::new();
    for (key, value) in world.everything().await {
        let value = String::from_utf8_lossy(&value).into_owned();
        if texts.iter().any(|text| value.contains(text)) {
            keys.push(key);
        }
    }
    keys
}

#[tokio::test]
async fn a_deleted_account_leaves_nothing_personal_and_frees_its_address() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada-lovelace").await;
    let patch = ProfilePatch {
        club: domain::Club::parse("Analysts").ok(),
        ..ProfilePatch::default()
    };
    world
        .user
        .update_user(&ada, &patch, None, new_request())
        .await
        .expect("updated");
    let cup = world.competition(places(5)).await;
    world.register(&ada, &cup).await.expect("in");
    let attempt = world
        .user
        .credentials()
        .find(&email("ada-lovelace"))
        .await
        .expect("an attempt");
    let personal = ["ada-lovelace", "Analysts"];
    assert_ne!(keys_with(&world, personal).await, [""; 0]);
    world.erase("ada-lovelace", &ada, &session).await;

    assert!(!is_open(&world, &session).await);
    assert_eq!(
        rejection(world.user.credentials().open_session(&attempt).await),
        Rejection::Unauthenticated
    );
    assert_eq!(
        rejection(world.user.get_user(&ada).await),
        Rejection::UserNotFound
    );
    assert_eq!(world.state(&ada, &cup).await, RegistrationState::Withdrawn);
    let listed = world
        .admin
        .list_users(&first_page(10))
        .await
        .expect("a list");
    assert_eq!(listed.items, []);
    assert_eq!(keys_with(&world, personal).await, [""; 0]);
    let (again, _) = world.sign_up("ada-lovelace").await;
    assert_ne!(again, ada);
}

#[tokio::test]
async fn an_account_is_not_deleted_with_a_password_that_was_changed_meanwhile() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let user = world.user.get_user(&ada).await.expect("a user");
    let hash = session.token.hash();
    let wrong = world
        .user
        .erase_user(&user, &password("old"), hash, new_request())
        .await;
    assert_eq!(rejection(wrong), Rejection::Unauthenticated);
    assert!(is_open(&world, &session).await);
}

#[tokio::test]
async fn deleting_an_account_withdraws_also_what_the_same_request_had_touched_before() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let cup = world.competition(places(5)).await;
    let user = world.user.get_user(&ada).await.expect("a user");
    let (hash, request) = (session.token.hash(), new_request());
    world.register(&ada, &cup).await.expect("in");
    // A first try that ends after the withdrawals: the password was changed meanwhile.
    let wrong = world
        .user
        .erase_user(&user, &password("old"), hash, request)
        .await;
    assert_eq!(rejection(wrong), Rejection::Unauthenticated);
    world.register(&ada, &cup).await.expect("back");
    world
        .user
        .erase_user(&user, &password("ada"), hash, request)
        .await
        .expect("erased");
    assert_eq!(world.counts(&cup).await, (0, 0));
}
