//! What is stored about a person.

use domain::{Club, DisplayName, ProfilePatch, ReadOnlyUser};

use super::sign_in;
use crate::world::{World, join_all, new_request, profile};

fn patch_name() -> ProfilePatch {
    ProfilePatch {
        display_name: DisplayName::parse("Ada").ok(),
        ..ProfilePatch::default()
    }
}

#[tokio::test]
async fn the_log_of_an_account_is_in_order() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    sign_in(&world, "ada").await;
    let patch = patch_name();
    let unchanged = ReadOnlyUser::default();
    let user = &world.user;
    let updated = user.update_user(&ada, &patch, &unchanged, None, new_request());
    updated.await.expect("updated");
    let ended = world.user.end_user_sessions(&ada, None).await;
    ended.expect("signed out");
    let (sessions, events) = world.user.account_history(&ada).await.expect("a history");
    assert_eq!(sessions, []);
    let words: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(words, ["sign_up", "sign_in", "update_profile", "sign_out"]);
    assert!(events.is_sorted_by_key(|event| event.at));
}

#[tokio::test]
async fn concurrent_updates_without_an_etag_lose_no_field() {
    let world = World::new().await;
    let ada = world.person().await;
    let club = Club::parse("Analysts").ok();
    let patch_club = ProfilePatch {
        club: club.clone(),
        ..ProfilePatch::default()
    };
    let patches = [patch_name(), patch_club];
    let unchanged = ReadOnlyUser::default();
    let updates = patches.iter().map(|patch| {
        let user = &world.user;
        user.update_user(&ada, patch, &unchanged, None, new_request())
    });
    for updated in join_all(updates).await {
        updated.expect("updated");
    }
    let user = world.user.get_user(&ada).await.expect("a user");
    assert_eq!(user.profile.display_name.as_str(), "Ada");
    assert_eq!(Some(user.profile.club), club);
    assert_eq!(user.version, 3);
}

#[tokio::test]
async fn no_key_holds_an_address_and_nothing_holds_a_token() {
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
async fn a_user_can_read_everything_that_is_stored_about_the_account() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    let user = world.user.get_user(&ada).await.expect("a user");
    assert_eq!(user.email.as_str(), "ada@example.org");
    assert_eq!(user.profile, profile("ada"));
    let (sessions, events) = world.user.account_history(&ada).await.expect("a history");
    assert_eq!((sessions.len(), events.len()), (1, 1));
}
