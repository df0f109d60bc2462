//! Full memory: what stores something new is refused, and what frees something or protects an
//! account still works.

use domain::RegistrationState::{Confirmed, Withdrawn};
use domain::{AddOptions, ProfilePatch, Role};
use store::{Error, Fault, WriteOutcome, WriteTracker};

use crate::accounts::{begin, begin_admin, is_open, sign_in};
use crate::world::{
    World, details, first_page, new_admin, new_competition, new_request, new_user, password, places,
};

async fn fill(world: &World) {
    let _: String = world.root(&["CONFIG", "SET", "maxmemory", "1"]).await;
}

/// Checks that a call is refused because memory is full, and changes nothing.
async fn is_refused<T: std::fmt::Debug>(what: &str, call: impl Future<Output = store::Result<T>>) {
    let tracker = WriteTracker::default();
    let result = tracker.follow(call).await;
    assert!(matches!(result, Err(Error::Full(_))), "{what}: {result:?}");
    assert_eq!(tracker.outcome(), WriteOutcome::NotApplied, "{what}");
}

#[tokio::test]
async fn what_stores_something_new_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let cup = world.competition(places(2)).await;
    let draft = world.draft(places(2)).await;
    let (ada, _) = world.sign_up("ada").await;
    let ben = world.person().await;
    let user = world.user.get_user(&ada).await.expect("a user");
    fill(&world).await;
    let before = world.everything().await;

    is_refused("Register", world.register(&ada, &cup)).await;
    let add = world.add(&ben, &cup, AddOptions::default());
    is_refused("AddRegistration", add).await;
    let (new, secret) = (new_user("late"), password("late"));
    is_refused("SignUp", world.user.sign_up(&new, &secret)).await;
    let patch = ProfilePatch {
        display_name: Some(testkit::fixtures::display_name("Ada Lovelace")),
        ..ProfilePatch::default()
    };
    let read_only = domain::ReadOnlyUser::default();
    let update = world
        .user
        .update_user(&user.id, &patch, &read_only, None, new_request());
    is_refused("UpdateMe", update).await;
    let (by, request) = (&world.organiser, new_request());
    let new = new_competition(details(places(1)));
    let create = world.admin.create_competition(by, new);
    is_refused("CreateCompetition", create).await;
    is_refused("UpdateCompetition", world.capacity(&cup, 5)).await;
    let publish = world.admin.publish_competition(by, &draft, request);
    is_refused("PublishCompetition", publish).await;
    let new = new_admin("vera", Role::Viewer);
    let create = world.admin.create_admin(by, &new, &secret);
    is_refused("CreateAdmin", create).await;
    assert_eq!(world.everything().await, before);

    let _: String = world.root(&["CONFIG", "SET", "maxmemory", "0"]).await;
    world.register(&ada, &cup).await.expect("in");
}

#[tokio::test]
async fn reads_work() {
    let world = World::new().await;
    let cup = world.competition(places(2)).await;
    let (ada, session) = world.sign_up("ada").await;
    world.register(&ada, &cup).await.expect("in");
    fill(&world).await;
    // A process that has just started can read too.
    for store in [&world.user, &world.another_user_store()] {
        let checked = store.redis().check().await.map_err(|failed| failed.fault);
        assert_eq!(checked, Err(Fault::Full));
        let found = store.user_session(&session.token).await;
        assert_eq!(found.expect("a reply").as_ref(), Some(&ada));
        let mine = store.my_registrations(&ada, &first_page(10)).await;
        assert_eq!(mine.expect("a list").items.len(), 1);
    }
    assert_eq!(world.counts(&cup).await, (1, 0));
    let page = first_page(10);
    let list = world.admin.list_registrations(&cup, &[Confirmed], &page);
    assert_eq!(list.await.expect("a list").items.len(), 1);
}

#[tokio::test]
async fn users_sign_in_and_out_change_their_password_withdraw_and_erase_their_account() {
    let world = World::new().await;
    let cup = world.competition(places(2)).await;
    let people = world.people(3).await;
    let (ada, first) = world.sign_up("ada").await;
    for user in &people {
        world.register(user, &cup).await.expect("in");
    }
    world
        .add(&ada, &cup, AddOptions::default())
        .await
        .expect("queued");
    fill(&world).await;

    let withdrawn = world.withdraw(&people[0], &cup).await.expect("withdrawn");
    assert_eq!(withdrawn.state, Withdrawn);
    let next = world.state(&people[2], &cup).await;
    assert_eq!(next, Confirmed, "the place goes to the first in the queue");

    let session = sign_in(&world, "ada").await;
    let (old, new) = (password("ada"), password("better"));
    let kept = session.token.hash();
    let changed = world
        .user
        .change_password(&ada, &old, &new, kept, new_request());
    changed.await.expect("changed");
    assert!(!is_open(&world, &first).await && is_open(&world, &session).await);
    let attempt = begin(&world, "ada").await;
    let renewed = world.user.credentials().renew_hash(&attempt, &old).await;
    renewed.expect("the hash of a password in an older form is replaced");
    world.erase("ada", &ada, &session).await;
    let ended = world.user.end_user_sessions(&people[2], None).await;
    ended.expect("signed out");
}

#[tokio::test]
async fn organisers_sign_in_remove_cancel_and_delete_and_owners_disable() {
    let world = World::new().await;
    let cup = world.competition(places(2)).await;
    let draft = world.draft(places(2)).await;
    let ada = world.person().await;
    world.register(&ada, &cup).await.expect("in");
    let by = &world.organiser;
    let (new, secret) = (new_admin("vera", Role::Owner), password("vera"));
    let vera = world
        .admin
        .create_admin(by, &new, &secret)
        .await
        .expect("an admin");
    fill(&world).await;

    let attempt = begin_admin(&world, "olga").await;
    let session = world.admin.credentials().open_session(&attempt).await;
    session.expect("a session");
    world.remove(&ada, &cup).await.expect("removed");
    world.cancel(&cup).await.expect("cancelled");
    let deleted = world
        .admin
        .delete_competition(by, &draft, new_request())
        .await;
    deleted.expect("deleted");
    let disabled = world.admin.disable_admin(by, &vera.id, new_request()).await;
    assert!(disabled.expect("disabled").disabled);
    let ended = world.admin.end_admin_sessions(by, None).await;
    ended.expect("signed out");
}

#[tokio::test]
async fn sessions_and_the_log_of_an_account_stay_bounded() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    fill(&world).await;
    for _ in 0..30 {
        sign_in(&world, "ada").await;
    }
    let count: usize = world
        .root(&["HLEN", &format!("u:{{{ada}}}:sessions")])
        .await;
    assert_eq!(count, 20);
}
