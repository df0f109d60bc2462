//! What is held about a person.

use domain::ProfilePatch;

use super::sign_in;
use crate::world::{World, join_all, new_request, profile};

#[tokio::test]
async fn what_happened_to_an_account_is_kept_in_order() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    sign_in(&world, "ada").await;
    let name = domain::DisplayName::parse("Ada").ok();
    let patch = ProfilePatch {
        display_name: name,
        ..ProfilePatch::default()
    };
    world
        .user
        .update_user(&ada, &patch, None, new_request())
        .await
        .expect("updated");
    world
        .user
        .end_user_sessions(&ada, None)
        .await
        .expect("signed out");
    let (sessions, events) = world.user.account_history(&ada).await.expect("a history");
    assert_eq!(sessions, []);
    let actions: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        actions,
        ["sign_up", "sign_in", "update_profile", "sign_out"]
    );
    assert!(events.is_sorted_by_key(|event| event.at));
}

#[tokio::test]
async fn profiles_that_are_changed_at_once_without_an_etag_lose_no_field() {
    let world = World::new().await;
    let ada = world.person().await;
    let name = domain::DisplayName::parse("Ada").ok();
    let club = domain::Club::parse("Analysts").ok();
    let patches = [
        ProfilePatch {
            display_name: name.clone(),
            ..ProfilePatch::default()
        },
        ProfilePatch {
            club: club.clone(),
            ..ProfilePatch::default()
        },
    ];
    for answer in join_all(
        patches
            .iter()
            .map(|patch| world.user.update_user(&ada, patch, None, new_request())),
    )
    .await
    {
        answer.expect("changed");
    }
    let user = world.user.get_user(&ada).await.expect("a user");
    assert_eq!(
        (Some(user.profile.display_name), Some(user.profile.club)),
        (name, club)
    );
    assert_eq!(user.version, 3);
}

#[tokio::test]
async fn nothing_that_is_stored_shows_an_address_in_a_key_or_a_token_at_all() {
    let world = World::new().await;
    let (_, session) = world.sign_up("ada-lovelace").await;
    let second = sign_in(&world, "ada-lovelace").await;
    for (key, value) in world.everything().await {
        assert!(!key.contains("ada-lovelace"), "{key}");
        let text = String::from_utf8_lossy(&value);
        for token in [&session.token, &second.token] {
            let secret = token.expose().rsplit('_').next().expect("a secret");
            assert!(!text.contains(secret) && !key.contains(secret), "{key}");
        }
    }
}

#[tokio::test]
async fn who_holds_data_can_have_it_all() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    let user = world.user.get_user(&ada).await.expect("a user");
    assert_eq!(
        (user.email.as_str(), user.profile),
        ("ada@example.org", profile("ada"))
    );
    let (sessions, events) = world.user.account_history(&ada).await.expect("a history");
    assert_eq!((sessions.len(), events.len()), (1, 1));
}
