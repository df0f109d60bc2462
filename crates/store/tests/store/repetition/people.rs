//! Repeated requests about accounts.

use domain::{DisplayName, ProfilePatch, ReadOnlyUser, Rejection, RequestId, Role};
use store::Error;
use store::admins::NewAdmin;
use store::users::NewUser;

use super::{repeat, reused};
use crate::world::{
    World, join_all, new_admin, new_request, new_user, password, profile, rejection,
};

fn patch_name(name: &str) -> ProfilePatch {
    ProfilePatch {
        display_name: DisplayName::parse(name).ok(),
        ..ProfilePatch::default()
    }
}

#[tokio::test]
async fn signing_up() {
    let world = World::new().await;
    let new = new_user("ada");
    let sign_up = async |new: &NewUser| {
        let (user, session) = world.user.sign_up(new, &password("ada")).await?;
        Ok::<_, Error>((user, session.token, session.expires_at))
    };
    repeat(&world, async || sign_up(&new).await).await;
    let other_profile = NewUser {
        profile: profile("grace"),
        ..new.clone()
    };
    reused(sign_up(&other_profile).await);
    let other_request = NewUser {
        request_id: new_request(),
        ..new
    };
    let refused = sign_up(&other_request).await;
    assert_eq!(rejection(refused), Rejection::EmailTaken);
}

#[tokio::test]
async fn signing_up_several_times_at_once_creates_one_account() {
    let world = World::new().await;
    let (new, secret) = (new_user("ada"), password("ada"));
    let created = join_all((0..8).map(|_| world.user.sign_up(&new, &secret))).await;
    let ids = created
        .into_iter()
        .map(|user| user.expect("an account").0.id);
    let mut ids: Vec<_> = ids.collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn the_last_8_changes_of_an_account_are_remembered_and_its_sign_up() {
    let world = World::new().await;
    let new = new_user("ada");
    let (ada, _) = world
        .user
        .sign_up(&new, &password("ada"))
        .await
        .expect("an account");
    let requests: Vec<_> = (0..9).map(|_| new_request()).collect();
    let update = async |number: usize| {
        let patch = patch_name(&format!("Ada {number}"));
        let kept = ReadOnlyUser::default();
        world
            .user
            .update_user(&ada.id, &patch, &kept, None, requests[number])
            .await
            .expect("a user")
    };
    for number in 0..9 {
        update(number).await;
    }
    assert_eq!(update(1).await.profile.display_name.as_str(), "Ada 1");
    let name = async || {
        let user = world.user.get_user(&ada.id).await.expect("a user");
        user.profile.display_name.as_str().to_owned()
    };
    assert_eq!(name().await, "Ada 8", "a repetition of one of the last 8");
    let again = world.user.sign_up(&new, &password("ada")).await;
    assert_eq!(again.expect("the first reply").0.id, ada.id);
    update(0).await;
    assert_eq!(name().await, "Ada 0", "an earlier request is a new one");
    let keys = format!("u:{{{}}}:request:*", ada.id);
    let keys: Vec<String> = world.root(&["KEYS", &keys]).await;
    assert_eq!(keys.len(), 1 + 8 + 1, "{keys:?}");
}

#[tokio::test]
async fn changing_a_profile() {
    let world = World::new().await;
    let ada = world.person().await;
    let etag = world.user.get_user(&ada).await.expect("a user").etag();
    let update = async |name: &str, request: RequestId| {
        let patch = patch_name(name);
        world
            .user
            .update_user(&ada, &patch, &ReadOnlyUser::default(), Some(&etag), request)
            .await
    };
    let request = new_request();
    let updated = repeat(&world, async || update("Ada", request).await).await;
    assert_eq!(updated.profile.display_name.as_str(), "Ada");
    assert_eq!(updated.version, 2);
    reused(update("Countess", request).await);
    let refused = update("Countess", new_request()).await;
    assert_eq!(rejection(refused), Rejection::EtagMismatch);
}

#[tokio::test]
async fn changing_a_profile_by_a_request_that_an_earlier_release_answered() {
    let world = World::new().await;
    let (ada, request) = (world.person().await, new_request());
    let update = async |name: &str| {
        let patch = patch_name(name);
        world
            .user
            .update_user(&ada, &patch, &ReadOnlyUser::default(), None, request)
            .await
    };
    let updated = update("Ada").await.expect("updated");
    // The fingerprint that builds before 0.1.0 stored for this patch.
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
    let (old, new, kept) = (password("ada"), password("better"), session.token.hash());
    let change = async |request| {
        let changed = world.user.change_password(&ada, &old, &new, kept, request);
        changed.await
    };
    let is_known = async |request| {
        let is_known = world.user.user_request_is_known(&ada, request).await;
        is_known.expect("a reply")
    };
    let request = new_request();
    assert!(!is_known(request).await);
    repeat(&world, async || change(request).await).await;
    assert!(is_known(request).await);
    let refused = change(new_request()).await;
    assert_eq!(rejection(refused), Rejection::Unauthenticated);

    let update = new_request();
    let patch = ProfilePatch::default();
    let updated = world
        .user
        .update_user(&ada, &patch, &ReadOnlyUser::default(), None, update)
        .await;
    updated.expect("updated");
    reused(change(update).await);
}

#[tokio::test]
async fn erasing_an_account() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let user = world.user.get_user(&ada).await.expect("a user");
    let (token, hash, request) = (&session.token, session.token.hash(), new_request());
    let checked = password("ada");
    let erased = world.user.erase_user(&user, &checked, hash, request).await;
    erased.expect("erased");
    // The token finds the request that erased the account, and nothing else.
    let found = world.user.user_session(token).await;
    assert_eq!(found.expect("a reply"), None);
    let found = world.user.sessions().user_or_erased(token).await;
    assert_eq!(found.expect("a reply").as_ref(), Some(&ada));
    let erased_by = world.user.erased_by(&ada, hash).await;
    assert_eq!(erased_by.expect("a reply"), Some(request));
}

#[tokio::test]
async fn creating_and_disabling_an_admin() {
    let world = World::new().await;
    let by = &world.organiser;
    let (new, secret) = (new_admin("vera", Role::Viewer), password("vera"));
    let create = async |new: &NewAdmin| world.admin.create_admin(by, new, &secret).await;
    let vera = repeat(&world, async || create(&new).await).await;
    let other_role = NewAdmin {
        role: Role::Owner,
        ..new.clone()
    };
    reused(create(&other_role).await);

    let disable = async |request| world.admin.disable_admin(by, &vera.id, request).await;
    let request = new_request();
    let disabled = repeat(&world, async || disable(request).await).await;
    assert!(disabled.disabled);
    let again = disable(new_request()).await;
    assert!(again.expect("an admin that stays disabled").disabled);
}
