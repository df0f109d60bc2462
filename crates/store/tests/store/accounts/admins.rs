//! Admins, and the creation of the first owner.

use domain::{AdminId, Rejection, Role, SessionToken};
use store::AdminStore;

use super::{begin_admin, is_open_for_admin};
use crate::world::{
    World, eventually, first_page, join_all, new_admin, new_request, password, rejection,
};

async fn has_owner(store: &AdminStore) -> bool {
    store.has_owner().await.expect("a reply")
}

async fn is_bootstrap(store: &AdminStore, token: &SessionToken) -> bool {
    let is_bootstrap = store.sessions().is_bootstrap(token).await;
    is_bootstrap.expect("a reply")
}

/// A world without accounts, and a store that knows nothing of earlier ones.
async fn empty_world() -> (World, AdminStore) {
    let world = World::new().await;
    let _: String = world.root(&["FLUSHALL"]).await;
    let store = world.another_admin_store();
    (world, store)
}

#[tokio::test]
async fn an_admin_signs_in_until_disabled() {
    let world = World::new().await;
    let by = &world.organiser;
    let (new, secret) = (new_admin("vera", Role::Viewer), password("vera"));
    let vera = world.admin.create_admin(by, &new, &secret).await;
    let vera = vera.expect("an admin");
    let found = world.admin.get_admin(&vera.id).await;
    assert_eq!(found.expect("an admin"), vera);
    let same_address = new_admin("vera", Role::Viewer);
    let refused = world.admin.create_admin(by, &same_address, &secret).await;
    assert_eq!(rejection(refused), Rejection::EmailTaken);

    let credentials = world.admin.credentials();
    let attempt = begin_admin(&world, "vera").await;
    let session = credentials.open_session(&attempt).await.expect("a session");
    assert_eq!(session.person, vera.id);
    let earlier = begin_admin(&world, "vera").await;
    let caller = world.admin.admin_session(&session.token).await;
    let expected = (vera.id.clone(), Role::Viewer);
    assert_eq!(caller.expect("a reply"), Some(expected));

    let disabled = world.admin.disable_admin(by, &vera.id, new_request()).await;
    disabled.expect("disabled");
    assert!(!is_open_for_admin(&world, &session).await);
    let opened = credentials.open_session(&earlier).await;
    assert_eq!(rejection(opened), Rejection::Unauthenticated);
}

#[tokio::test]
async fn a_session_of_an_admin_ends_with_the_sign_out() {
    let world = World::new().await;
    let attempt = begin_admin(&world, "olga").await;
    let credentials = world.admin.credentials();
    let first = credentials.open_session(&attempt).await.expect("a session");
    let second = credentials.open_session(&attempt).await.expect("a session");
    let (olga, hash) = (&world.organiser, Some(first.token.hash()));
    let ended = world.admin.end_admin_sessions(olga, hash).await;
    ended.expect("signed out");
    assert!(!is_open_for_admin(&world, &first).await);
    assert!(is_open_for_admin(&world, &second).await);
    let ended = world.admin.end_admin_sessions(olga, None).await;
    ended.expect("signed out everywhere");
    assert!(!is_open_for_admin(&world, &second).await);
}

#[tokio::test]
async fn the_last_owner_cannot_be_disabled() {
    let world = World::new().await;
    let by = &world.organiser;
    let disable = async |id| world.admin.disable_admin(by, id, new_request()).await;
    assert_eq!(rejection(disable(by).await), Rejection::LastOwner);
    let (other, secret) = (new_admin("oscar", Role::Owner), password("oscar"));
    let created = world.admin.create_admin(by, &other, &secret).await;
    let oscar = created.expect("an admin").id;
    let results = join_all([disable(by), disable(&oscar)]).await;
    let disabled = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(disabled, 1, "one of the two stays enabled");
    let unknown = AdminId::parse("unknown").expect("an id");
    assert_eq!(rejection(disable(&unknown).await), Rejection::AdminNotFound);
}

#[tokio::test]
async fn a_disabled_owner_does_not_count_as_one_after_a_repeated_creation() {
    let world = World::new().await;
    let by = &world.organiser;
    let (new, secret) = (new_admin("oscar", Role::Owner), password("oscar"));
    let create = async || world.admin.create_admin(by, &new, &secret).await;
    let disable = async |id| world.admin.disable_admin(by, id, new_request()).await;
    let oscar = create().await.expect("an admin");
    disable(&oscar.id).await.expect("disabled");
    assert_eq!(create().await.expect("the same reply"), oscar);
    assert_eq!(rejection(disable(by).await), Rejection::LastOwner);
}

#[tokio::test]
async fn an_owner_whom_a_crash_left_out_of_the_owners_counts_as_one() {
    let world = World::new().await;
    let _: i64 = world.root(&["DEL", "a:{owners}"]).await;
    let by = &world.organiser;
    let refused = world.admin.disable_admin(by, by, new_request()).await;
    assert_eq!(rejection(refused), Rejection::LastOwner);
    assert!(!has_owner(&world.admin).await);
    // The settings of a starting server name the same address.
    let same = new_admin("olga", Role::Owner);
    let is_new = world.admin.ensure_owner(&same, &password("olga")).await;
    assert!(!is_new.expect("a reply"));
    assert!(has_owner(&world.admin).await);
}

#[tokio::test]
async fn the_settings_create_an_owner_only_if_there_is_none() {
    let world = World::new().await;
    let (zoe, secret) = (new_admin("zoe", Role::Owner), password("zoe"));
    let is_new = world.admin.ensure_owner(&zoe, &secret).await;
    assert!(!is_new.expect("a reply"));
    let listed = world.admin.list_admins(&first_page(10)).await;
    assert_eq!(listed.expect("a list").items.len(), 1);

    let (_world, store) = empty_world().await;
    assert!(!has_owner(&store).await);
    assert!(store.ensure_owner(&zoe, &secret).await.expect("an owner"));
    assert!(has_owner(&store).await);
}

#[tokio::test]
async fn a_bootstrap_token_creates_the_first_owner_once() {
    let (_world, store) = empty_world().await;
    let first = store.new_bootstrap_token().await.expect("a token");
    let token = store.new_bootstrap_token().await.expect("a token");
    assert!(!is_bootstrap(&store, &first).await);
    assert!(is_bootstrap(&store, &token).await);

    let secret = password("secret");
    let create = async |token, new| store.create_first_owner(token, new, &secret).await;
    let (oscar, mallory) = (
        new_admin("oscar", Role::Owner),
        new_admin("mallory", Role::Owner),
    );
    let refused = rejection(create(&first, &oscar).await);
    assert_eq!(refused, Rejection::Unauthenticated, "replaced");
    let owner = create(&token, &oscar).await.expect("an owner");
    assert_eq!(owner.role, Role::Owner);
    let again = create(&token, &oscar).await;
    assert_eq!(again.expect("the same reply"), owner);
    let refused = rejection(create(&token, &mallory).await);
    assert_eq!(refused, Rejection::Unauthenticated, "spent");
    let token = store.new_bootstrap_token().await.expect("a token");
    let refused = rejection(create(&token, &mallory).await);
    assert_eq!(refused, Rejection::Unauthenticated, "there is an owner");
}

#[tokio::test]
async fn a_bootstrap_token_expires_after_fifteen_minutes() {
    let (world, store) = empty_world().await;
    let token = store.new_bootstrap_token().await.expect("a token");
    let left: i64 = world.root(&["TTL", "a:{boot}"]).await;
    assert!((14 * 60..=15 * 60).contains(&left), "{left}");
    let _: i64 = world.root(&["PEXPIRE", "a:{boot}", "1"]).await;
    eventually("the token expires", async || {
        !is_bootstrap(&store, &token).await
    })
    .await;
    let (new, secret) = (new_admin("oscar", Role::Owner), password("oscar"));
    let refused = store.create_first_owner(&token, &new, &secret).await;
    assert_eq!(rejection(refused), Rejection::Unauthenticated);
}
