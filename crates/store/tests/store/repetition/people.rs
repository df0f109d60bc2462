//! Requests about accounts.

use domain::{DisplayName, ProfilePatch, Rejection, RequestId, Role};
use store::Error;
use store::users::NewUser;

use super::{repeat, reused};
use crate::world::{
    World, join_all, new_admin, new_request, new_user, password, profile, rejection,
};

#[tokio::test]
async fn signing_up() {
    let world = World::new().await;
    let new = new_user("ada");
    let sign_up = async |new: &NewUser| {
        let (user, session) = world.user.sign_up(new, &password("ada")).await?;
        Ok::<_, Error>((user, session.token, session.expires_at))
    };
    repeat(&world, async || sign_up(&new).await).await;
    let other = NewUser {
        profile: profile("grace"),
        ..new.clone()
    };
    reused(sign_up(&other).await);
    let others_request = NewUser {
        request_id: new_request(),
        ..new
    };
    assert_eq!(
        rejection(sign_up(&others_request).await),
        Rejection::EmailTaken
    );
}

#[tokio::test]
async fn signing_up_sent_twice_at_once_makes_one_account() {
    let world = World::new().await;
    let new = new_user("ada");
    let secret = password("ada");
    let answers = join_all((0..8).map(|_| world.user.sign_up(&new, &secret))).await;
    let mut ids: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.expect("an account").0.id)
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn changing_a_profile() {
    let world = World::new().await;
    let ada = world.person().await;
    let read = world.user.get_user(&ada).await.expect("a user");
    let update = async |name: &str, request: RequestId| {
        let patch = ProfilePatch {
            display_name: DisplayName::parse(name).ok(),
            ..ProfilePatch::default()
        };
        world
            .user
            .update_user(&ada, &patch, Some(&read.etag()), request)
            .await
    };
    let request = new_request();
    let updated = repeat(&world, async || update("Ada", request).await).await;
    assert_eq!(
        (updated.profile.display_name.as_str(), updated.version),
        ("Ada", 2)
    );
    reused(update("Countess", request).await);
    assert_eq!(
        rejection(update("Countess", new_request()).await),
        Rejection::EtagMismatch
    );
}

#[tokio::test]
async fn changing_a_profile_by_a_request_that_an_earlier_release_answered() {
    let world = World::new().await;
    let ada = world.person().await;
    let request = new_request();
    let update = async |name: &str| {
        let patch = ProfilePatch {
            display_name: DisplayName::parse(name).ok(),
            ..ProfilePatch::default()
        };
        world.user.update_user(&ada, &patch, None, request).await
    };
    let updated = update("Ada").await.expect("updated");
    // The fingerprint that releases before 0.1.0 stored for this patch.
    let key = format!("u:{{{ada}}}:request:{request}");
    let former = "i75itfjouiamqlun523034borc";
    let _: i64 = world.root(&["HSET", &key, "fingerprint", former]).await;
    assert_eq!(update("Ada").await.expect("the same reply"), updated);
    reused(update("Countess").await);
}

#[tokio::test]
async fn changing_a_password() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let (old, new) = (password("ada"), password("better"));
    let change = async |request| {
        world
            .user
            .change_password(&ada, &old, &new, session.token.hash(), request)
            .await
    };
    let request = new_request();
    assert!(
        !world
            .user
            .user_request_is_known(&ada, request)
            .await
            .expect("an answer")
    );
    repeat(&world, async || change(request).await).await;
    assert!(
        world
            .user
            .user_request_is_known(&ada, request)
            .await
            .expect("an answer")
    );
    assert_eq!(
        rejection(change(new_request()).await),
        Rejection::Unauthenticated
    );

    let update = new_request();
    let patch = ProfilePatch::default();
    world
        .user
        .update_user(&ada, &patch, None, update)
        .await
        .expect("updated");
    let hash = session.token.hash();
    reused(
        world
            .user
            .change_password(&ada, &new, &old, hash, update)
            .await,
    );
}

#[tokio::test]
async fn deleting_an_account() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let user = world.user.get_user(&ada).await.expect("a user");
    let hash = session.token.hash();
    let request = new_request();
    world
        .user
        .erase_user(&user, &password("ada"), hash, request)
        .await
        .expect("erased");
    // The token finds out which request it was, and nothing else.
    assert_eq!(
        world
            .user
            .user_session(&session.token)
            .await
            .expect("an answer"),
        None
    );
    let known = world
        .user
        .sessions()
        .user_or_erased(&session.token)
        .await
        .expect("an answer");
    assert_eq!(known.as_ref(), Some(&ada));
    assert_eq!(
        world.user.erased_by(&ada, hash).await.expect("an answer"),
        Some(request)
    );
}

#[tokio::test]
async fn making_and_disabling_an_admin() {
    let world = World::new().await;
    let by = &world.organiser;
    let new = new_admin("vera", Role::Viewer);
    let secret = password("vera");
    let create =
        async |new: &store::admins::NewAdmin| world.admin.create_admin(by, new, &secret).await;
    let vera = repeat(&world, async || create(&new).await).await;
    reused(
        create(&store::admins::NewAdmin {
            role: Role::Owner,
            ..new.clone()
        })
        .await,
    );

    let request = new_request();
    let disable = async |id| world.admin.disable_admin(by, id, request).await;
    let disabled = repeat(&world, async || disable(&vera.id).await).await;
    assert!(disabled.disabled);
    let anew = world.admin.disable_admin(by, &vera.id, new_request()).await;
    assert!(anew.expect("it stays disabled").disabled);
}
