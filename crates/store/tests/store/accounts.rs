//! Accounts: sign-up, sign-in, sessions and their ends, the throttle, admins and the first owner.

use std::time::Duration;

use domain::{
    Email, ProfilePatch, RegistrationState, Rejection, RequestId, Role, SessionToken, UserId,
};
use store::accounts::{FAILED_SIGN_INS, THROTTLE_WINDOW, USER_SESSION};
use store::admins::NewAdmin;
use store::users::NewUser;
use store::{OpenSession, SignInAttempt};

use crate::world::{
    World, email, eventually, first_page, join_all, new_admin, new_request, new_user, password,
    places, profile, rejection, store_of,
};

async fn sign_in(world: &World, name: &str) -> OpenSession {
    let attempt = world
        .user
        .user_sign_in(&email(name))
        .await
        .expect("an attempt");
    assert_eq!(attempt.credential(), Some(&password(name)));
    world.user.open_session(&attempt).await.expect("a session")
}

async fn is_open(world: &World, session: &OpenSession) -> bool {
    world
        .user
        .user_session(&session.token)
        .await
        .expect("an answer")
        .is_some()
}

#[tokio::test]
async fn who_signs_up_is_signed_in_and_can_sign_in_again() {
    let world = World::new().await;
    let new = new_user("ada");
    let (ada, first) = world
        .user
        .sign_up(&new, &password("ada"))
        .await
        .expect("an account");
    assert_eq!(
        (&ada.email, &ada.profile, ada.version),
        (&new.email, &new.profile, 1)
    );
    assert_eq!(world.user.get_user(&ada.id).await.expect("a user"), ada);
    let found = world
        .user
        .user_session(&first.token)
        .await
        .expect("an answer");
    assert_eq!(found.as_ref(), Some(&ada.id));
    let life = first.expires_at.as_millis() - ada.created_at.as_millis();
    assert_eq!(u128::try_from(life), Ok(USER_SESSION.as_millis()));

    let second = sign_in(&world, "ada").await;
    assert_ne!(second.token, first.token);
    assert!(is_open(&world, &first).await && is_open(&world, &second).await);
}

#[tokio::test]
async fn an_address_is_kept_as_written_and_found_in_any_case() {
    let world = World::new().await;
    let new = NewUser {
        email: Email::parse("Ada.Lovelace@Example.org").expect("an address"),
        ..new_user("ada")
    };
    let (ada, _) = world
        .user
        .sign_up(&new, &password("ada"))
        .await
        .expect("an account");
    assert_eq!(ada.email.as_str(), "Ada.Lovelace@Example.org");
    let typed = Email::parse("ada.lovelace@example.ORG").expect("an address");
    let attempt = world.user.user_sign_in(&typed).await.expect("an attempt");
    assert!(attempt.credential().is_some());
    let found = world
        .admin
        .find_user_by_email(&typed)
        .await
        .expect("an answer");
    assert_eq!(found.map(|user| user.id), Some(ada.id));
    let again = NewUser {
        email: typed,
        ..new_user("ada")
    };
    let taken = world.user.sign_up(&again, &password("ada")).await;
    assert_eq!(rejection(taken), Rejection::EmailTaken);
}

#[tokio::test]
async fn of_many_sign_ups_at_once_with_one_address_one_is_made() {
    let world = World::new().await;
    let other_server = store_of(&world.redis, "user-service");
    let attempts: Vec<_> = (0..40).map(|_| new_user("ada")).collect();
    let secret = password("ada");
    let answers = join_all(attempts.iter().enumerate().map(|(n, new)| {
        let server = if n % 2 == 0 {
            &world.user
        } else {
            &other_server
        };
        server.sign_up(new, &secret)
    }))
    .await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    for answer in refused {
        assert_eq!(rejection(answer), Rejection::EmailTaken);
    }
    sign_in(&world, "ada").await;
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_look_the_same() {
    let world = World::new().await;
    world.sign_up("ada").await;
    for name in ["ada", "nobody"] {
        for _ in 0..FAILED_SIGN_INS {
            let attempt = world
                .user
                .user_sign_in(&email(name))
                .await
                .expect("an attempt");
            world.user.sign_in_failed(&attempt).await.expect("counted");
        }
        let refused = rejection(world.user.user_sign_in(&email(name)).await);
        let Rejection::TooManySignIns { retry_after } = refused else {
            panic!("{refused:?}");
        };
        assert!(retry_after <= THROTTLE_WINDOW && retry_after > THROTTLE_WINDOW / 2);
    }
    let nobody = world
        .user
        .user_sign_in(&email("somebody"))
        .await
        .expect("an attempt");
    assert_eq!(nobody.credential(), None);
    let opened = world.user.open_session(&nobody).await;
    assert_eq!(rejection(opened), Rejection::Unauthenticated);
}

#[tokio::test]
async fn the_throttle_locks_out_no_live_session_and_nobody_else() {
    let world = World::new().await;
    let (_, session) = world.sign_up("ada").await;
    world.sign_up("bob").await;
    for _ in 0..FAILED_SIGN_INS {
        let attempt = world
            .user
            .user_sign_in(&email("ada"))
            .await
            .expect("an attempt");
        world.user.sign_in_failed(&attempt).await.expect("counted");
    }
    assert!(world.user.user_sign_in(&email("ada")).await.is_err());
    assert!(is_open(&world, &session).await);
    sign_in(&world, "bob").await;
}

#[tokio::test]
async fn the_throttle_ends_with_its_window_and_with_a_right_password() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    let fail = async || {
        let attempt = world
            .user
            .user_sign_in(&email("ada"))
            .await
            .expect("an attempt");
        world.user.sign_in_failed(&attempt).await.expect("counted");
    };
    for _ in 0..FAILED_SIGN_INS - 1 {
        fail().await;
    }
    sign_in(&world, "ada").await;
    for _ in 0..FAILED_SIGN_INS {
        fail().await;
    }
    assert!(world.user.user_sign_in(&email("ada")).await.is_err());
    // The window begins with the first failure; its end is brought near.
    let throttle = format!("u:{{{ada}}}:throttle");
    let left: i64 = world.root(&["PTTL", &throttle]).await;
    assert!(Duration::from_millis(left.unsigned_abs()) <= THROTTLE_WINDOW);
    let _: i64 = world.root(&["PEXPIRE", &throttle, "1"]).await;
    eventually("the window ends", async || {
        world.user.user_sign_in(&email("ada")).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_by_sign_out_with_the_next_call() {
    let world = World::new().await;
    let (ada, first) = world.sign_up("ada").await;
    let second = sign_in(&world, "ada").await;
    world
        .user
        .end_user_sessions(&ada, Some(first.token.hash()))
        .await
        .expect("signed out");
    assert!(!is_open(&world, &first).await && is_open(&world, &second).await);
    let third = sign_in(&world, "ada").await;
    world
        .user
        .end_user_sessions(&ada, None)
        .await
        .expect("signed out everywhere");
    assert!(!is_open(&world, &second).await && !is_open(&world, &third).await);
}

#[tokio::test]
async fn a_changed_password_ends_all_other_sessions() {
    let world = World::new().await;
    let (ada, first) = world.sign_up("ada").await;
    let second = sign_in(&world, "ada").await;
    let late = world
        .user
        .user_sign_in(&email("ada"))
        .await
        .expect("an attempt");
    let (old, new) = (password("ada"), password("better"));
    let kept = second.token.hash();
    let changed = world
        .user
        .change_password(&ada, &old, &new, kept, new_request())
        .await;
    changed.expect("changed");
    assert!(!is_open(&world, &first).await && is_open(&world, &second).await);
    assert_eq!(
        world
            .user
            .user_credential(&ada)
            .await
            .expect("a credential"),
        new
    );
    // A sign-in whose password was checked before opens nothing any more.
    assert_eq!(
        rejection(world.user.open_session(&late).await),
        Rejection::Unauthenticated
    );
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let sessions = format!("u:{{{ada}}}:sessions");
    let hash = session.token.hash().to_string();
    let long_ago = "1000000000000 1000000000001";
    let _: i64 = world.root(&["HSET", &sessions, &hash, long_ago]).await;
    assert!(!is_open(&world, &session).await);
    let life: i64 = world.root(&["PTTL", &sessions]).await;
    assert!(life > 0, "none of them is kept for ever");
    let (open, _) = world.user.account_history(&ada).await.expect("a history");
    assert_eq!(open, []);
}

#[tokio::test]
async fn twenty_sessions_are_kept_and_the_oldest_makes_room() {
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
async fn a_token_is_good_for_nobody_else_and_not_when_made_up() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let made_up = SessionToken::of_user(&ada, &[7; 32]);
    assert_eq!(
        world.user.user_session(&made_up).await.expect("an answer"),
        None
    );
    let nobody = UserId::parse("nobody").expect("an id");
    let of_nobody = SessionToken::of_user(&nobody, &[7; 32]);
    assert_eq!(
        world
            .user
            .user_session(&of_nobody)
            .await
            .expect("an answer"),
        None
    );
    let as_admin = world
        .admin
        .admin_session(&session.token)
        .await
        .expect("an answer");
    assert_eq!(as_admin, None, "a user is nobody at admin-service");
}

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
        .user_sign_in(&email("ada-lovelace"))
        .await
        .expect("an attempt");
    let personal = ["ada-lovelace", "Analysts"];
    assert_ne!(keys_with(&world, personal).await, [""; 0]);
    world.erase("ada-lovelace", &ada, &session).await;

    assert!(!is_open(&world, &session).await);
    assert_eq!(
        rejection(world.user.open_session(&attempt).await),
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
    let hash = session.token.hash();
    let wrong = world
        .user
        .erase_user(&ada, &password("old"), hash, new_request())
        .await;
    assert_eq!(rejection(wrong), Rejection::Unauthenticated);
    assert!(is_open(&world, &session).await);
}

#[tokio::test]
async fn deleting_an_account_withdraws_also_what_the_same_request_had_touched_before() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let cup = world.competition(places(5)).await;
    let (hash, request) = (session.token.hash(), new_request());
    world.register(&ada, &cup).await.expect("in");
    // A first try that ends after the withdrawals: the password was changed meanwhile.
    let wrong = world
        .user
        .erase_user(&ada, &password("old"), hash, request)
        .await;
    assert_eq!(rejection(wrong), Rejection::Unauthenticated);
    world.register(&ada, &cup).await.expect("back");
    world
        .user
        .erase_user(&ada, &password("ada"), hash, request)
        .await
        .expect("erased");
    assert_eq!(world.counts(&cup).await, (0, 0));
}

/// A sign-up that a crash cut off: the claim as it is before it is confirmed.
async fn half_made(world: &World, name: &str) -> (NewUser, UserId, OpenSession, String) {
    let new = new_user(name);
    let (user, session) = world
        .user
        .sign_up(&new, &password(name))
        .await
        .expect("an account");
    let keys: Vec<String> = world.root(&["KEYS", "email:*"]).await;
    let mut claim = String::new();
    for key in keys {
        let owner: String = world.root(&["GET", &key]).await;
        if owner == user.id.as_str() {
            claim = key;
        }
    }
    let pending = format!("pending:{}:nonce", user.id);
    let _: String = world.root(&["SET", &claim, &pending, "EX", "600"]).await;
    (new, user.id, session, claim)
}

#[tokio::test]
async fn a_half_made_account_opens_nothing_until_its_request_is_repeated() {
    let world = World::new().await;
    let (new, id, _, _) = half_made(&world, "ada").await;
    let attempt: SignInAttempt = world
        .user
        .user_sign_in(&new.email)
        .await
        .expect("an attempt");
    assert_eq!(attempt.credential(), None);
    assert_eq!(
        world
            .admin
            .find_user_by_email(&new.email)
            .await
            .expect("an answer"),
        None
    );
    let other = NewUser {
        request_id: RequestId::random(),
        ..new.clone()
    };
    let taken = world.user.sign_up(&other, &password("ada")).await;
    assert_eq!(rejection(taken), Rejection::EmailTaken, "for ten minutes");

    let (user, _) = world
        .user
        .sign_up(&new, &password("ada"))
        .await
        .expect("the same account");
    assert_eq!(user.id, id);
    sign_in(&world, "ada").await;
}

#[tokio::test]
async fn a_half_made_account_gives_its_address_up_after_ten_minutes() {
    let world = World::new().await;
    let (new, id, _, claim) = half_made(&world, "ada").await;
    let left: i64 = world.root(&["TTL", &claim]).await;
    assert!((1..=600).contains(&left));
    let _: i64 = world.root(&["DEL", &claim]).await;
    let other = NewUser {
        request_id: RequestId::random(),
        ..new.clone()
    };
    let (user, _) = world
        .user
        .sign_up(&other, &password("ada"))
        .await
        .expect("an account");
    assert_ne!(user.id, id);
    let late = world.user.sign_up(&new, &password("ada")).await;
    assert_eq!(rejection(late), Rejection::EmailTaken);
    sign_in(&world, "ada").await;
}

#[tokio::test]
async fn the_address_of_an_erasure_that_was_cut_off_is_free() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    let _: i64 = world.root(&["DEL", &format!("u:{{{ada}}}:profile")]).await;
    world.sign_up("ada").await;
}

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
    let actions: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
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
async fn an_admin_signs_in_with_a_role_until_disabled() {
    let world = World::new().await;
    let new = new_admin("vera", Role::Viewer);
    let by = world.organiser.as_str();
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
        .admin_sign_in(&new.email)
        .await
        .expect("an attempt");
    let session = world.admin.open_session(&attempt).await.expect("a session");
    let late = world
        .admin
        .admin_sign_in(&new.email)
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
        rejection(world.admin.open_session(&late).await),
        Rejection::Unauthenticated
    );
}

#[tokio::test]
async fn an_admins_session_ends_by_sign_out() {
    let world = World::new().await;
    let attempt = world
        .admin
        .admin_sign_in(&email("olga"))
        .await
        .expect("an attempt");
    let first = world.admin.open_session(&attempt).await.expect("a session");
    let second = world.admin.open_session(&attempt).await.expect("a session");
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
        .create_admin(by.as_str(), &other, &password("oscar"))
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
    let fresh = store_of(&world.redis, "admin-service");
    assert!(!fresh.has_owner().await.expect("an answer"));
    assert!(fresh.ensure_owner(&zoe, &secret).await.expect("an owner"));
    assert!(fresh.has_owner().await.expect("an answer"));
}

#[tokio::test]
async fn a_bootstrap_token_makes_the_first_owner_once() {
    let world = World::new().await;
    let _: String = world.root(&["FLUSHALL"]).await;
    let fresh = store_of(&world.redis, "admin-service");
    let first = fresh.new_bootstrap_token().await.expect("a token");
    let token = fresh.new_bootstrap_token().await.expect("a token");
    assert!(
        !fresh
            .bootstrap_token_is_valid(&first)
            .await
            .expect("an answer")
    );
    assert!(
        fresh
            .bootstrap_token_is_valid(&token)
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
    let fresh = store_of(&world.redis, "admin-service");
    let token = fresh.new_bootstrap_token().await.expect("a token");
    let left: i64 = world.root(&["TTL", "a:{boot}"]).await;
    assert!((14 * 60..=15 * 60).contains(&left), "{left}");
    let _: i64 = world.root(&["PEXPIRE", "a:{boot}", "1"]).await;
    eventually("it ends", async || {
        !fresh
            .bootstrap_token_is_valid(&token)
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
