//! Calls about accounts.

use domain::{AdminId, DisplayName, ProfilePatch, RequestId, Role};

use super::damage::{Damage, FAST, Snapshot, command, odd_fields, of_every_type, on_damaged};
use crate::world::{World, creator, email, new_admin, new_request, new_user, password};

/// A call about an account.
#[derive(Debug, Clone, Copy)]
enum AccountCall {
    SignUp,
    SignIn,
    FailToSignIn,
    SignOut,
    SignOutEverywhere,
    ChangePassword,
    ChangeProfile,
    Erase,
    CreateAdmin,
    DisableAdmin,
}

fn account_damages(account: &str, request: RequestId) -> Vec<Damage> {
    let key = |holds: &str| format!("{account}:{holds}");
    let holds = [
        "profile",
        "credential",
        "sessions",
        "throttle",
        "log",
        "competitions",
        "added",
    ];
    let mut keys: Vec<_> = holds.map(key).into();
    keys.push(key(&format!("request:{request}")));
    let mut damages = of_every_type(&keys);
    damages.extend(odd_fields(
        &key("profile"),
        &["version", "disabled", "role"],
    ));
    damages.extend(odd_fields(&key("sessions"), &["odd"]));
    damages.extend(odd_fields(
        &key(&format!("request:{request}")),
        &["fingerprint"],
    ));
    damages.push(vec![command(&["XADD", &key("log"), "*", "action", "odd"])]);
    damages.push(vec![command(&[
        "XADD",
        &key("log"),
        "*",
        "action",
        "odd",
        "request",
        "odd",
    ])]);
    damages.push(vec![command(&["HSET", &key("competitions"), "odd", "odd"])]);
    damages
}

#[tokio::test]
async fn calls_on_damaged_accounts_change_nothing_or_all() {
    use AccountCall::{
        ChangePassword, ChangeProfile, Erase, FailToSignIn, SignIn, SignOut, SignOutEverywhere,
    };
    let world = World::with_settings(&FAST).await;
    let (ada, session) = world.sign_up("ada").await;
    let attempt = world
        .user
        .credentials()
        .find(&email("ada"))
        .await
        .expect("an attempt");
    let user = world.user.get_user(&ada).await.expect("a user");
    let (request, hash) = (new_request(), session.token.hash());
    let (old, new) = (password("ada"), password("better"));
    let name = DisplayName::parse("Ada").ok();
    let patch = ProfilePatch {
        display_name: name,
        ..ProfilePatch::default()
    };
    let make = async |one| match one {
        SignIn => world
            .user
            .credentials()
            .open_session(&attempt)
            .await
            .map(drop),
        FailToSignIn => world.user.credentials().count_failure(&attempt).await,
        SignOut => world.user.end_user_sessions(&ada, Some(hash)).await,
        SignOutEverywhere => world.user.end_user_sessions(&ada, None).await,
        ChangePassword => {
            world
                .user
                .change_password(&ada, &old, &new, hash, request)
                .await
        }
        ChangeProfile => world
            .user
            .update_user(&ada, &patch, None, request)
            .await
            .map(drop),
        Erase => world.user.erase_user(&user, &old, hash, request).await,
        other => unreachable!("{other:?} is not about this account"),
    };
    let calls = [
        SignIn,
        FailToSignIn,
        SignOut,
        SignOutEverywhere,
        ChangePassword,
        ChangeProfile,
        Erase,
    ];
    let damages = account_damages(&format!("u:{{{ada}}}"), request);
    on_damaged(&world, &damages, &calls, make).await;
}

#[tokio::test]
async fn making_an_account_where_something_odd_stands_changes_nothing_or_all() {
    let world = World::with_settings(&FAST).await;
    let mut redis = world.connect_as("root").await;
    let (user, admin) = (new_user("ada"), new_admin("vera", Role::Viewer));
    let secret = password("secret");
    // Their ids follow from their requests: made once to know them, then unmade.
    let empty = Snapshot::take(&mut redis).await;
    let ada = world
        .user
        .sign_up(&user, &secret)
        .await
        .expect("an account")
        .0
        .id;
    let vera = world
        .admin
        .create_admin(&creator(), &admin, &secret)
        .await
        .expect("an admin")
        .id;
    empty.restore(&mut redis).await;

    let make = async |one| match one {
        AccountCall::SignUp => world.user.sign_up(&user, &secret).await.map(drop),
        _ => world
            .admin
            .create_admin(&creator(), &admin, &secret)
            .await
            .map(drop),
    };
    let damages = account_damages(&format!("u:{{{ada}}}"), user.request_id);
    on_damaged(&world, &damages, &[AccountCall::SignUp], make).await;
    let damages = account_damages(&format!("a:{{{vera}}}"), admin.request_id);
    on_damaged(&world, &damages, &[AccountCall::CreateAdmin], make).await;
}

#[tokio::test]
async fn calls_on_damaged_admins_change_nothing_or_all() {
    let world = World::with_settings(&FAST).await;
    let (new, secret) = (new_admin("vera", Role::Viewer), password("vera"));
    let vera: AdminId = world
        .admin
        .create_admin(&creator(), &new, &secret)
        .await
        .expect("an admin")
        .id;
    let attempt = world
        .admin
        .credentials()
        .find(&new.email)
        .await
        .expect("an attempt");
    let request = new_request();
    let make = async |one| match one {
        AccountCall::SignIn => world
            .admin
            .credentials()
            .open_session(&attempt)
            .await
            .map(drop),
        AccountCall::SignOutEverywhere => world.admin.end_admin_sessions(&vera, None).await,
        _ => world
            .admin
            .disable_admin(&world.organiser, &vera, request)
            .await
            .map(drop),
    };
    let calls = [
        AccountCall::SignIn,
        AccountCall::SignOutEverywhere,
        AccountCall::DisableAdmin,
    ];
    let damages = account_damages(&format!("a:{{{vera}}}"), request);
    on_damaged(&world, &damages, &calls, make).await;
}
