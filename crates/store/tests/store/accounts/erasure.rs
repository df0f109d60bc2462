//! Erasing an account.

use domain::{Club, ProfilePatch, ReadOnlyUser, RegistrationState, Rejection, RequestId, UserId};
use store::IssuedSession;

use super::{begin, is_open};
use crate::world::{World, first_page, new_request, password, places, rejection};

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

/// Erases an account with the hash that this password has.
async fn erase(
    world: &World,
    session: &IssuedSession<UserId>,
    checked: &str,
    request: RequestId,
) -> store::Result<()> {
    let user = world.user.get_user(&session.person).await.expect("a user");
    let (checked, token) = (password(checked), session.token.hash());
    world.user.erase_user(&user, &checked, token, request).await
}

#[tokio::test]
async fn an_erased_account_leaves_nothing_personal_and_releases_its_address() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada-lovelace").await;
    let patch = ProfilePatch {
        club: Club::parse("Analysts").ok(),
        ..ProfilePatch::default()
    };
    let unchanged = ReadOnlyUser::default();
    let user = &world.user;
    let updated = user.update_user(&ada, &patch, &unchanged, None, new_request());
    updated.await.expect("updated");
    let cup = world.competition(places(5)).await;
    world.register(&ada, &cup).await.expect("in");
    let earlier = begin(&world, "ada-lovelace").await;
    let personal = ["ada-lovelace", "Analysts"];
    assert_ne!(keys_with(&world, personal).await, [""; 0]);
    world.erase("ada-lovelace", &ada, &session).await;

    assert!(!is_open(&world, &session).await);
    let opened = world.user.credentials().open_session(&earlier).await;
    assert_eq!(rejection(opened), Rejection::Unauthenticated);
    let found = world.user.get_user(&ada).await;
    assert_eq!(rejection(found), Rejection::UserNotFound);
    assert_eq!(world.state(&ada, &cup).await, RegistrationState::Withdrawn);
    let listed = world.admin.list_users(&first_page(10)).await;
    assert_eq!(listed.expect("a list").items, []);
    assert_eq!(keys_with(&world, personal).await, [""; 0]);
    let (again, _) = world.sign_up("ada-lovelace").await;
    assert_ne!(again, ada);
}

#[tokio::test]
async fn an_account_is_not_erased_with_a_password_that_was_changed_meanwhile() {
    let world = World::new().await;
    let (_, session) = world.sign_up("ada").await;
    let refused = erase(&world, &session, "old", new_request()).await;
    assert_eq!(rejection(refused), Rejection::Unauthenticated);
    assert!(is_open(&world, &session).await);
}

#[tokio::test]
async fn an_erasure_also_withdraws_from_what_its_first_attempt_had_withdrawn_from() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let cup = world.competition(places(5)).await;
    let request = new_request();
    world.register(&ada, &cup).await.expect("in");
    // The first attempt fails after the withdrawals, because the password was changed meanwhile.
    let refused = erase(&world, &session, "old", request).await;
    assert_eq!(rejection(refused), Rejection::Unauthenticated);
    world.register(&ada, &cup).await.expect("back");
    let erased = erase(&world, &session, "ada", request).await;
    erased.expect("erased");
    assert_eq!(world.counts(&cup).await, (0, 0));
}
