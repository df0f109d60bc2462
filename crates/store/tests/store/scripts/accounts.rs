//! Calls about accounts on damaged records.

use domain::{DisplayName, ProfilePatch, ReadOnlyUser, RequestId, Role};
use testkit::ROOT;

use super::damage::{Damage, FAST, Snapshot, command, odd_fields, of_every_type, on_damaged};
use crate::world::{World, creator, email, here, new_admin, new_request, new_user, password};

/// Damages of every key of an account, whose names begin with `prefix`.
fn account_damages(prefix: &str, request: RequestId) -> Vec<Damage> {
    let key = |suffix: &str| format!("{prefix}:{suffix}");
    let request = key(&format!("request:{request}"));
    let suffixes = [
        "profile",
        "credential",
        "sessions",
        "failures",
        "confirmations",
        "networks",
        "log",
        "competitions",
        "added",
    ];
    let mut keys: Vec<_> = suffixes.map(key).into();
    keys.push(request.clone());
    keys.push(key("request:recent"));
    let mut damages = of_every_type(&keys);
    damages.extend(odd_fields(
        &key("profile"),
        &["version", "disabled", "role"],
    ));
    damages.extend(odd_fields(&key("sessions"), &["odd"]));
    damages.extend(odd_fields(&request, &["fingerprint"]));
    let (log, index) = (key("log"), key("competitions"));
    for words in [
        &["XADD", &log, "*", "action", "odd"][..],
        &["XADD", &log, "*", "action", "odd", "request", "odd"],
        &["HSET", &index, "odd", "odd"],
    ] {
        damages.push(vec![command(words)]);
    }
    damages
}

#[derive(Debug, Clone, Copy)]
enum UserCall {
    SignIn,
    FailToSignIn,
    FailToConfirm,
    Release,
    SignOut,
    SignOutEverywhere,
    ChangePassword,
    UpdateProfile,
    Erase,
}

#[tokio::test]
async fn calls_on_damaged_accounts_change_nothing_or_all() {
    use UserCall::{
        ChangePassword, Erase, FailToConfirm, FailToSignIn, Release, SignIn, SignOut,
        SignOutEverywhere, UpdateProfile,
    };
    let world = World::with_settings(&FAST).await;
    let (ada, session) = world.sign_up("ada").await;
    let (users, credentials) = (&world.user, world.user.credentials());
    let attempt = credentials
        .begin(&email("ada"), here())
        .await
        .expect("an attempt");
    let user = users.get_user(&ada).await.expect("a user");
    let (request, hash) = (new_request(), session.token.hash());
    let (old, new) = (password("ada"), password("better"));
    let patch = ProfilePatch {
        display_name: DisplayName::parse("Ada").ok(),
        ..ProfilePatch::default()
    };
    let make = async |call| match call {
        SignIn => credentials.open_session(&attempt).await.map(drop),
        FailToSignIn => credentials.begin(&email("ada"), here()).await.map(drop),
        FailToConfirm => credentials.begin_confirmation(&ada, hash).await.map(drop),
        Release => credentials.release(attempt.reservation()).await,
        SignOut => users.end_user_sessions(&ada, Some(hash)).await,
        SignOutEverywhere => users.end_user_sessions(&ada, None).await,
        ChangePassword => users.change_password(&ada, &old, &new, hash, request).await,
        UpdateProfile => {
            let updated = users
                .update_user(&ada, &patch, &ReadOnlyUser::default(), None, request)
                .await;
            updated.map(drop)
        }
        Erase => users.erase_user(&user, &old, hash, request).await,
    };
    let calls = [
        SignIn,
        FailToSignIn,
        FailToConfirm,
        Release,
        SignOut,
        SignOutEverywhere,
        ChangePassword,
        UpdateProfile,
        Erase,
    ];
    let damages = account_damages(&format!("u:{{{ada}}}"), request);
    on_damaged(&world, &damages, &calls, make).await;
}

#[tokio::test]
async fn creating_an_account_where_odd_records_exist_changes_nothing_or_all() {
    let world = World::with_settings(&FAST).await;
    let mut redis = world.redis.connect(ROOT).await;
    let (user, admin) = (new_user("ada"), new_admin("vera", Role::Viewer));
    let (secret, by) = (password("secret"), creator());
    let sign_up = async || world.user.sign_up(&user, &secret).await;
    let create_admin = async || world.admin.create_admin(&by, &admin, &secret).await;
    // The ids are derived from the requests: the accounts are created once to learn the ids.
    let empty = Snapshot::take(&mut redis).await;
    let ada = sign_up().await.expect("an account").0.id;
    let vera = create_admin().await.expect("an admin").id;
    empty.restore(&mut redis).await;

    let damages = account_damages(&format!("u:{{{ada}}}"), user.request_id);
    let call = async |_| sign_up().await.map(drop);
    on_damaged(&world, &damages, &["sign up"], call).await;
    let damages = account_damages(&format!("a:{{{vera}}}"), admin.request_id);
    let call = async |_| create_admin().await.map(drop);
    on_damaged(&world, &damages, &["create an admin"], call).await;
}

#[derive(Debug, Clone, Copy)]
enum AdminCall {
    SignIn,
    SignOutEverywhere,
    Disable,
}

#[tokio::test]
async fn calls_on_damaged_admins_change_nothing_or_all() {
    use AdminCall::{Disable, SignIn, SignOutEverywhere};
    let world = World::with_settings(&FAST).await;
    let (admins, credentials) = (&world.admin, world.admin.credentials());
    let (new, secret) = (new_admin("vera", Role::Viewer), password("vera"));
    let vera = admins.create_admin(&creator(), &new, &secret).await;
    let vera = vera.expect("an admin").id;
    let attempt = credentials
        .begin(&new.email, here())
        .await
        .expect("an attempt");
    let request = new_request();
    let make = async |call| match call {
        SignIn => credentials.open_session(&attempt).await.map(drop),
        SignOutEverywhere => admins.end_admin_sessions(&vera, None).await,
        Disable => {
            let disabled = admins.disable_admin(&world.organiser, &vera, request).await;
            disabled.map(drop)
        }
    };
    let damages = account_damages(&format!("a:{{{vera}}}"), request);
    let calls = [SignIn, SignOutEverywhere, Disable];
    on_damaged(&world, &damages, &calls, make).await;
}
