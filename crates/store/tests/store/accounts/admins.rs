//! Admins, and how the first owner comes to be.

use domain::{Rejection, Role};
use store::admins::NewAdmin;

use crate::world::{
    World, email, eventually, first_page, join_all, new_admin, new_request, password, rejection,
};

#[tokio::test]
async fn an_admin_signs_in_with_a_role_until_disabled() {
    let world = World::new().await;
    let new = new_admin("vera", Role::Viewer);
    let by = &world.organiser;
    let vera = world
        .admin
        .create_admin(by, &new, &password("vera"))
        .await
        .expect("an admin");
    assert_eq!(
        world.admin.get_admin(&vera.id).await.expect("an admin"),
        vera
    );
    let taken = NewAdmin {
        request_id: new_request(),
        ..new.clone()
    };
    let taken = world
        .admin
        .create_admin(by, &taken, &password("vera"))
        .await;
    assert_eq!(rejection(taken), Rejection::EmailTaken);

    let attempt = world
        .admin
        .credentials()
        .find(&new.email)
        .await
        .expect("an attempt");
    let session = world
        .admin
        .credentials()
        .open_session(&attempt)
        .await
        .expect("a session");
    let late = world
        .admin
        .credentials()
        .find(&new.email)
        .await
        .expect("an attempt");
    let who = world
        .admin
        .admin_session(&session.token)
        .await
        .expect("an answer");
    assert_eq!(who, Some((vera.id.clone(), Role::Viewer)));

    world
        .admin
        .disable_admin(&world.organiser, &vera.id, new_request())
        .await
        .expect("disabled");
    assert_eq!(
        world
            .admin
            .admin_session(&session.token)
            .await
            .expect("an answer"),
        None
    );
    assert_eq!(
        rejection(world.admin.credentials().open_session(&late).await),
        Rejection::Unauthenticated
    );
}

#[tokio::test]
async fn an_admins_session_ends_by_sign_out() {
    let world = World::new().await;
    let attempt = world
        .admin
        .credentials()
        .find(&email("olga"))
        .await
        .expect("an attempt");
    let first = world
        .admin
        .credentials()
        .open_session(&attempt)
        .await
        .expect("a session");
    let second = world
        .admin
        .credentials()
        .open_session(&attempt)
        .await
        .expect("a session");
    let hash = Some(first.token.hash());
    world
        .admin
        .end_admin_sessions(&world.organiser, hash)
        .await
        .expect("signed out");
    assert_eq!(
        world
            .admin
            .admin_session(&first.token)
            .await
            .expect("an answer"),
        None
    );
    assert!(
        world
            .admin
            .admin_session(&second.token)
            .await
            .expect("an answer")
            .is_some()
    );
    world
        .admin
        .end_admin_sessions(&world.organiser, None)
        .await
        .expect("signed out");
    assert_eq!(
        world
            .admin
            .admin_session(&second.token)
            .await
            .expect("an answer"),
        None
    );
}

#[tokio::test]
async fn the_last_owner_cannot_be_disabled() {
    let world = World::new().await;
    let by = &world.organiser;
    let disable = async |id| world.admin.disable_admin(by, id, new_request()).await;
    assert_eq!(rejection(disable(by).await), Rejection::LastOwner);
    let other = new_admin("oscar", Role::Owner);
    let made = world
        .admin
        .create_admin(by, &other, &password("oscar"))
        .await;
    let oscar = made.expect("an admin").id;
    let answers = join_all([disable(by), disable(&oscar)]).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.is_ok()).count(),
        1,
        "one of the two stays"
    );
    let nobody = domain::AdminId::parse("nobody").expect("an id");
    assert_eq!(rejection(disable(&nobody).await), Rejection::AdminNotFound);
}

#[tokio::test]
async fn an_owner_who_was_disabled_does_not_count_again_when_the_creation_is_repeated() {
    let world = World::new().await;
    let by = &world.organiser;
    let (oscar, secret) = (new_admin("oscar", Role::Owner), password("oscar"));
    let create = async || world.admin.create_admin(by, &oscar, &secret).await;
    let disable = async |id| world.admin.disable_admin(by, id, new_request()).await;
    let made = create().await.expect("an admin");
    disable(&made.id).await.expect("disabled");
    assert_eq!(create().await.expect("as the first time"), made);
    assert_eq!(rejection(disable(by).await), Rejection::LastOwner);
}

#[tokio::test]
async fn an_owner_whom_a_crash_left_out_of_the_owners_is_one_all_the_same() {
    let world = World::new().await;
    let _: i64 = world.root(&["DEL", "a:{owners}"]).await;
    let by = &world.organiser;
    let refused = world.admin.disable_admin(by, by, new_request()).await;
    assert_eq!(rejection(refused), Rejection::LastOwner);
    assert!(!world.admin.has_owner().await.expect("an answer"));
    // The settings of a server that starts name the same address.
    let again = new_admin("olga", Role::Owner);
    let is_new = world
        .admin
        .ensure_owner(&again, &password("olga"))
        .await
        .expect("an answer");
    assert!(!is_new);
    assert!(world.admin.has_owner().await.expect("an answer"));
}

#[tokio::test]
async fn the_settings_make_an_owner_only_where_there_is_none() {
    let world = World::new().await;
    let (zoe, secret) = (new_admin("zoe", Role::Owner), password("zoe"));
    assert!(
        !world
            .admin
            .ensure_owner(&zoe, &secret)
            .await
            .expect("an answer")
    );
    let listed = world
        .admin
        .list_admins(&first_page(10))
        .await
        .expect("a list");
    assert_eq!(listed.items.len(), 1);
    let _: String = world.root(&["FLUSHALL"]).await;
    let fresh = world.another_admin_store();
    assert!(!fresh.has_owner().await.expect("an answer"));
    assert!(fresh.ensure_owner(&zoe, &secret).await.expect("an owner"));
    assert!(fresh.has_owner().await.expect("an answer"));
}

#[tokio::test]
async fn a_bootstrap_token_makes_the_first_owner_once() {
    let world = World::new().await;
    let _: String = world.root(&["FLUSHALL"]).await;
    let fresh = world.another_admin_store();
    let first = fresh.new_bootstrap_token().await.expect("a token");
    let token = fresh.new_bootstrap_token().await.expect("a token");
    assert!(
        !fresh
            .sessions()
            .is_bootstrap(&first)
            .await
            .expect("an answer")
    );
    assert!(
        fresh
            .sessions()
            .is_bootstrap(&token)
            .await
            .expect("an answer")
    );

    let (new, secret) = (new_admin("oscar", Role::Owner), password("oscar"));
    let refused = fresh.create_first_owner(&first, &new, &secret).await;
    assert_eq!(
        rejection(refused),
        Rejection::Unauthenticated,
        "an older token"
    );
    let owner = fresh
        .create_first_owner(&token, &new, &secret)
        .await
        .expect("an owner");
    assert_eq!(owner.role, Role::Owner);
    let again = fresh.create_first_owner(&token, &new, &secret).await;
    assert_eq!(again.expect("the same answer"), owner);
    let other = new_admin("mallory", Role::Owner);
    let refused = fresh.create_first_owner(&token, &other, &secret).await;
    assert_eq!(
        rejection(refused),
        Rejection::Unauthenticated,
        "a token that was spent"
    );
    let token = fresh.new_bootstrap_token().await.expect("a token");
    let refused = fresh.create_first_owner(&token, &other, &secret).await;
    assert_eq!(
        rejection(refused),
        Rejection::Unauthenticated,
        "there is an owner by now"
    );
}

#[tokio::test]
async fn a_bootstrap_token_is_good_for_fifteen_minutes() {
    let world = World::new().await;
    let _: String = world.root(&["FLUSHALL"]).await;
    let fresh = world.another_admin_store();
    let token = fresh.new_bootstrap_token().await.expect("a token");
    let left: i64 = world.root(&["TTL", "a:{boot}"]).await;
    assert!((14 * 60..=15 * 60).contains(&left), "{left}");
    let _: i64 = world.root(&["PEXPIRE", "a:{boot}", "1"]).await;
    eventually("it ends", async || {
        !fresh
            .sessions()
            .is_bootstrap(&token)
            .await
            .expect("an answer")
    })
    .await;
    let new = new_admin("oscar", Role::Owner);
    let refused = fresh
        .create_first_owner(&token, &new, &password("oscar"))
        .await;
    assert_eq!(rejection(refused), Rejection::Unauthenticated);
}
