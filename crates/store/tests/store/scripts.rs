//! Every script on records that the store would never write: wrong types, odd values, absent keys. A
//! script that answers an error or a refusal has changed nothing; promotions that were due, and come
//! first, are all that may have been made.

use std::collections::BTreeMap;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{Pipeline, cmd};
use domain::RegistrationState::{Confirmed, Removed, Waitlisted, Withdrawn};
use domain::{
    AdminId, CompetitionId, CompetitionPatch, DisplayName, ProfilePatch, Reason, RequestId, Role,
    Title, UserId,
};
use store::Error;
use store::competitions::{NewCompetition, UpdateError};
use store::registrations::AddOptions;

use crate::world::{
    World, details, email, first_page, new_admin, new_competition, new_request, new_user, password,
    places,
};

/// What is done to the records: commands of Redis, each as its words.
type Damage = Vec<Vec<String>>;

fn command(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// These keys without a value, and with one of each type.
fn of_every_type(keys: &[String]) -> Vec<Damage> {
    let mut damages = Vec::new();
    for key in keys {
        let gone = command(&["DEL", key]);
        damages.push(vec![gone.clone()]);
        for value in [
            &["SET", key, "odd"][..],
            &["RPUSH", key, "odd"],
            &["SADD", key, "odd"],
            &["HSET", key, "odd", "odd"],
            &["ZADD", key, "0", "odd"],
            &["XADD", key, "1-0", "odd", "odd"],
        ] {
            damages.push(vec![gone.clone(), command(value)]);
        }
    }
    damages
}

/// This hash without a field, and with odd values in it, for each of these fields.
fn odd_fields(key: &str, fields: &[&str]) -> Vec<Damage> {
    const ODD: [&str; 12] = [
        "",
        " ",
        "odd",
        "-1",
        "0",
        "1.5",
        "1e300",
        "nan",
        "inf",
        "0x10",
        "9999999999999999999",
        "\0é",
    ];
    let mut damages = Vec::new();
    for field in fields {
        damages.push(vec![command(&["HDEL", key, field])]);
        damages.extend(
            ODD.iter()
                .map(|odd| vec![command(&["HSET", key, field, odd])]),
        );
    }
    damages
}

/// All keys with their values, to come back to.
struct Snapshot(BTreeMap<String, Vec<u8>>);

impl Snapshot {
    async fn take(redis: &mut MultiplexedConnection) -> Self {
        let keys: Vec<String> = cmd("KEYS")
            .arg("*")
            .query_async(redis)
            .await
            .expect("the keys");
        let mut dumps = Pipeline::new();
        for key in &keys {
            dumps.cmd("DUMP").arg(key);
        }
        let values: Vec<Vec<u8>> = dumps.query_async(redis).await.expect("the values");
        Self(keys.into_iter().zip(values).collect())
    }

    async fn restore(&self, redis: &mut MultiplexedConnection) {
        let mut restore = Pipeline::new();
        restore.cmd("FLUSHALL").ignore();
        for (key, value) in &self.0 {
            restore.cmd("RESTORE").arg(key).arg(0).arg(value).ignore();
        }
        let () = restore.query_async(redis).await.expect("restored");
    }

    /// Which keys differ, but for those that may hold too much and are written before a script decides:
    /// the indexes, the lists of all, and the claims of addresses.
    fn changes(&self, after: &Self) -> Vec<String> {
        let lists = [
            "catalogue:",
            "directory:",
            "email:",
            "admin-email:",
            "a:{index}",
        ];
        let is_index = |key: &str| {
            lists.iter().any(|list| key.starts_with(list))
                || key.ends_with(":competitions")
                || key.ends_with(":added")
        };
        let mut keys: Vec<_> = self.0.keys().chain(after.0.keys()).cloned().collect();
        keys.sort();
        keys.dedup();
        keys.retain(|key| !is_index(key) && self.0.get(key) != after.0.get(key));
        keys
    }
}

/// Whether the script said no, and not the one who read its answer.
fn is_no(answer: &Result<(), Error>) -> bool {
    !matches!(answer, Ok(()) | Err(Error::Corrupt(_)))
        || matches!(answer, Err(Error::Corrupt(why)) if !why.starts_with("unreadable"))
}

/// Makes each call on records with each damage, and looks at what changed where it was told no.
async fn on_damaged<Call: Copy + std::fmt::Debug>(
    world: &World,
    damages: &[Damage],
    calls: &[Call],
    mut make: impl AsyncFnMut(Call) -> Result<(), Error>,
) {
    let mut redis = world.connect_as("root").await;
    let good = Snapshot::take(&mut redis).await;
    let (mut calls_made, mut refused) = (0, 0);
    for damage in damages {
        for call in calls {
            good.restore(&mut redis).await;
            let mut harm = Pipeline::new();
            for words in damage {
                harm.cmd(&words[0]).arg(&words[1..]).ignore();
            }
            let () = harm.query_async(&mut redis).await.expect("damaged");
            let before = Snapshot::take(&mut redis).await;
            let answer = make(*call).await;
            calls_made += 1;
            if !is_no(&answer) {
                continue;
            }
            refused += 1;
            let changes = before.changes(&Snapshot::take(&mut redis).await);
            assert!(
                changes.is_empty() || only_promotions(&mut redis, &changes).await,
                "{call:?} on {damage:?} answered {answer:?} and changed {changes:?}"
            );
        }
    }
    good.restore(&mut redis).await;
    assert!(
        refused * 10 > calls_made,
        "{refused} of {calls_made} were refused, too few to show anything"
    );
}

/// Whether all that was done since the competition was made is promoting: the entries behind the one
/// that is marked.
async fn only_promotions(redis: &mut MultiplexedConnection, changes: &[String]) -> bool {
    let Some(log) = changes
        .iter()
        .find(|key| key.ends_with(":log") && key.starts_with("c:"))
    else {
        return false;
    };
    let entries: Vec<(String, Vec<String>)> = cmd("XREVRANGE")
        .arg(log)
        .arg("+")
        .arg("-")
        .query_async(redis)
        .await
        .expect("a log");
    let new = entries
        .iter()
        .take_while(|(_, fields)| fields[11] == "confirmed" && fields[5] == "promote");
    new.count() > 0
}

/// A competition with somebody in each state, and one who is nowhere.
struct Cast {
    cup: CompetitionId,
    confirmed: UserId,
    waiting: UserId,
    withdrawn: UserId,
    removed: UserId,
    newcomer: UserId,
    /// Of the registration of who waits.
    known: RequestId,
}

impl Cast {
    async fn of(world: &World) -> Self {
        let cup = world.competition(places(2)).await;
        let people = world.people(6).await;
        let [confirmed, also, waiting, withdrawn, removed, newcomer] =
            people.try_into().expect("six people");
        for user in [&confirmed, &withdrawn, &removed] {
            world.register(user, &cup).await.expect("in");
        }
        world.withdraw(&withdrawn, &cup).await.expect("withdrawn");
        world.remove(&removed, &cup).await.expect("removed");
        world.register(&also, &cup).await.expect("in");
        let known = new_request();
        world
            .user
            .register(&waiting, &cup, known)
            .await
            .expect("queued");
        Self {
            cup,
            confirmed,
            waiting,
            withdrawn,
            removed,
            newcomer,
            known,
        }
    }

    /// What can be wrong with its records. `request` is of a call of an organiser.
    fn damages(&self, request: RequestId) -> Vec<Damage> {
        let key = |holds: &str| format!("c:{{{}}}:{holds}", self.cup);
        let mut keys: Vec<_> = [
            "meta",
            "revision",
            "registrations",
            "past",
            "waitlist",
            "log",
        ]
        .map(key)
        .into();
        keys.push(format!("request:{{{}}}:{request}", self.cup));
        let mut damages = of_every_type(&keys);
        let read_by_scripts = [
            "state",
            "starts_at",
            "ends_at",
            "registration_opens_at",
            "registration_closes_at",
            "capacity",
            "waitlist_capacity",
            "changed_at_revision",
        ];
        damages.extend(odd_fields(&key("meta"), &read_by_scripts));
        let current = [
            self.confirmed.as_str(),
            self.waiting.as_str(),
            self.newcomer.as_str(),
        ];
        damages.extend(odd_fields(&key("registrations"), &current));
        let past = [
            self.withdrawn.as_str(),
            self.removed.as_str(),
            self.newcomer.as_str(),
        ];
        damages.extend(odd_fields(&key("past"), &past));
        for odd in [
            "",
            "odd",
            "-1",
            "0",
            "3",
            "1.5",
            "1e300",
            "nan",
            "9007199254740993",
        ] {
            damages.push(vec![command(&["SET", &key("revision"), odd])]);
        }
        damages.push(vec![command(&[
            "ZADD",
            &key("waitlist"),
            "0",
            "nobody-at-all",
        ])]);
        damages.push(vec![command(&[
            "ZREM",
            &key("waitlist"),
            self.waiting.as_str(),
        ])]);
        damages.push(vec![command(&[
            "ZADD",
            &key("waitlist"),
            "0",
            self.confirmed.as_str(),
        ])]);
        damages.push(vec![command(&[
            "XADD",
            &key("log"),
            "1000-0",
            "odd",
            "odd",
        ])]);
        damages.push(vec![command(&["XTRIM", &key("log"), "MAXLEN", "1"])]);
        damages
    }
}

/// A call about a competition.
#[derive(Debug, Clone, Copy)]
enum Call {
    RegisterNewcomer,
    RegisterAgain,
    RegisterOnceMore,
    RegisterRemoved,
    Preview,
    WithdrawConfirmed,
    WithdrawWaiting,
    AddNewcomer,
    AddRemoved,
    AddOverCapacity,
    RemoveConfirmed,
    RemoveWaiting,
    Enlarge,
    Shrink,
    Rename,
    Publish,
    Cancel,
    Delete,
    Create,
    Seal,
    Read,
}

async fn call(world: &World, cast: &Cast, request: RequestId, call: Call) -> Result<(), Error> {
    use Call::{
        AddNewcomer, AddOverCapacity, AddRemoved, Cancel, Create, Delete, Enlarge, Preview,
        Publish, Read, RegisterAgain, RegisterNewcomer, RegisterOnceMore, RegisterRemoved,
        RemoveConfirmed, RemoveWaiting, Rename, Seal, Shrink, WithdrawConfirmed, WithdrawWaiting,
    };
    let (by, cup) = (&world.organiser, &cast.cup);
    let title = Title::parse("Autumn Cup").ok();
    let capacity = |places| CompetitionPatch {
        capacity: Some(domain::Capacity::parse(places).ok()),
        ..CompetitionPatch::default()
    };
    let update = async |patch: CompetitionPatch| match world
        .admin
        .update_competition(by, cup, &patch, None, request)
        .await
    {
        Ok(_) => Ok(()),
        Err(UpdateError::Store(error)) => Err(error),
        Err(UpdateError::Invalid(_)) => Err(Error::Corrupt("unreadable".to_owned())),
    };
    let over = AddOptions {
        over_capacity: true,
        ignore_window: true,
    };
    match call {
        RegisterNewcomer => world.register(&cast.newcomer, cup).await.map(drop),
        RegisterAgain => world.register(&cast.withdrawn, cup).await.map(drop),
        RegisterOnceMore => world
            .user
            .register(&cast.waiting, cup, cast.known)
            .await
            .map(drop),
        RegisterRemoved => world.register(&cast.removed, cup).await.map(drop),
        Preview => world
            .user
            .preview_registration(&cast.newcomer, cup, request)
            .await
            .map(drop),
        WithdrawConfirmed => world.withdraw(&cast.confirmed, cup).await.map(drop),
        WithdrawWaiting => world.withdraw(&cast.waiting, cup).await.map(drop),
        AddNewcomer => world
            .add(&cast.newcomer, cup, AddOptions::default())
            .await
            .map(drop),
        AddRemoved => world
            .add(&cast.removed, cup, AddOptions::default())
            .await
            .map(drop),
        AddOverCapacity => world.add(&cast.newcomer, cup, over).await.map(drop),
        RemoveConfirmed => world.remove(&cast.confirmed, cup).await.map(drop),
        RemoveWaiting => world.remove(&cast.waiting, cup).await.map(drop),
        Enlarge => update(capacity(3)).await,
        Shrink => update(capacity(1)).await,
        Rename => {
            update(CompetitionPatch {
                title,
                ..CompetitionPatch::default()
            })
            .await
        }
        Publish => world
            .admin
            .publish_competition(by, cup, request)
            .await
            .map(drop),
        Cancel => {
            let reason = Reason::parse("storm").expect("a reason");
            world
                .admin
                .cancel_competition(by, cup, &reason, request)
                .await
                .map(drop)
        }
        Delete => world.admin.delete_competition(by, cup, request).await,
        Create => {
            let new = new_competition(details(places(2)));
            let new = NewCompetition {
                id: Some(cup.clone()),
                request_id: request,
                ..new
            };
            world.admin.create_competition(by, new).await.map(drop)
        }
        Seal => world.admin.seal_all().await.map(drop),
        Read => {
            let all = [Confirmed, Waitlisted, Withdrawn, Removed];
            world.admin.get_entry(cup, &cast.waiting).await?;
            world.admin.list_entries(cup, &all, &first_page(10)).await?;
            world.admin.audit_entries(cup, &first_page(10)).await?;
            world
                .user
                .my_registrations(&cast.waiting, &first_page(10))
                .await
                .map(drop)
        }
    }
}

/// Not on disk: what is damaged here is read back at once.
const FAST: [(&str, &str); 1] = [("appendfsync", "no")];

#[tokio::test]
async fn users_calls_on_damaged_competitions_change_nothing_or_all() {
    use Call::{
        Preview, RegisterAgain, RegisterNewcomer, RegisterOnceMore, RegisterRemoved,
        WithdrawConfirmed, WithdrawWaiting,
    };
    let world = World::with_settings(&FAST).await;
    let (cast, request) = (Cast::of(&world).await, new_request());
    let calls = [
        RegisterNewcomer,
        RegisterAgain,
        RegisterOnceMore,
        RegisterRemoved,
        Preview,
        WithdrawConfirmed,
        WithdrawWaiting,
    ];
    let make = async |one| call(&world, &cast, request, one).await;
    on_damaged(&world, &cast.damages(request), &calls, make).await;
}

#[tokio::test]
async fn organisers_calls_on_damaged_competitions_change_nothing_or_all() {
    use Call::{
        AddNewcomer, AddOverCapacity, AddRemoved, Cancel, Enlarge, Read, RemoveConfirmed,
        RemoveWaiting, Rename, Seal, Shrink,
    };
    let world = World::with_settings(&FAST).await;
    let (cast, request) = (Cast::of(&world).await, new_request());
    let calls = [
        AddNewcomer,
        AddRemoved,
        AddOverCapacity,
        RemoveConfirmed,
        RemoveWaiting,
        Enlarge,
        Shrink,
        Rename,
        Cancel,
        Seal,
        Read,
    ];
    let make = async |one| call(&world, &cast, request, one).await;
    on_damaged(&world, &cast.damages(request), &calls, make).await;
}

#[tokio::test]
async fn calls_on_damaged_competitions_with_promotions_that_are_due_make_those_at_most() {
    use Call::{
        AddNewcomer, Cancel, Enlarge, RegisterNewcomer, RemoveConfirmed, WithdrawConfirmed,
    };
    let world = World::with_settings(&FAST).await;
    let (cast, request) = (Cast::of(&world).await, new_request());
    let meta = format!("c:{{{}}}:meta", cast.cup);
    let _: i64 = world.root(&["HSET", &meta, "capacity", "4"]).await;
    let calls = [
        RegisterNewcomer,
        WithdrawConfirmed,
        AddNewcomer,
        RemoveConfirmed,
        Enlarge,
        Cancel,
    ];
    let make = async |one| call(&world, &cast, request, one).await;
    on_damaged(&world, &cast.damages(request), &calls, make).await;
}

#[tokio::test]
async fn calls_on_damaged_drafts_change_nothing_or_all() {
    let world = World::with_settings(&FAST).await;
    let mut cast = Cast::of(&world).await;
    cast.cup = world.draft(places(2)).await;
    let request = new_request();
    let calls = [
        Call::Publish,
        Call::Delete,
        Call::Create,
        Call::Enlarge,
        Call::RegisterNewcomer,
    ];
    let make = async |one| call(&world, &cast, request, one).await;
    on_damaged(&world, &cast.damages(request), &calls, make).await;
}

#[tokio::test]
async fn creating_a_competition_where_something_odd_stands_changes_nothing_or_all() {
    let world = World::with_settings(&FAST).await;
    let mut cast = Cast::of(&world).await;
    cast.cup = CompetitionId::parse("nothing-yet").expect("an id");
    let request = new_request();
    let make = async |one| call(&world, &cast, request, one).await;
    on_damaged(&world, &cast.damages(request), &[Call::Create], make).await;
}

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
        .user_sign_in(&email("ada"))
        .await
        .expect("an attempt");
    let (request, hash) = (new_request(), session.token.hash());
    let (old, new) = (password("ada"), password("better"));
    let name = DisplayName::parse("Ada").ok();
    let patch = ProfilePatch {
        display_name: name,
        ..ProfilePatch::default()
    };
    let make = async |one| match one {
        SignIn => world.user.open_session(&attempt).await.map(drop),
        FailToSignIn => world.user.sign_in_failed(&attempt).await,
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
        Erase => world.user.erase_user(&ada, &old, hash, request).await,
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
        .create_admin("tests", &admin, &secret)
        .await
        .expect("an admin")
        .id;
    empty.restore(&mut redis).await;

    let make = async |one| match one {
        AccountCall::SignUp => world.user.sign_up(&user, &secret).await.map(drop),
        _ => world
            .admin
            .create_admin("tests", &admin, &secret)
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
        .create_admin("tests", &new, &secret)
        .await
        .expect("an admin")
        .id;
    let attempt = world
        .admin
        .admin_sign_in(&new.email)
        .await
        .expect("an attempt");
    let request = new_request();
    let make = async |one| match one {
        AccountCall::SignIn => world.admin.open_session(&attempt).await.map(drop),
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
