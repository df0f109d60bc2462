//! Calls about damaged competitions.

use domain::RegistrationState::{Confirmed, Removed, Waitlisted, Withdrawn};
use domain::{
    AddOptions, CompetitionId, CompetitionPatch, ReadOnlyCompetition, Reason, RequestId, Title,
    UserId,
};
use store::Error;
use store::competitions::NewCompetition;

use super::damage::{Damage, FAST, command, odd_fields, of_every_type, on_damaged};
use crate::world::{World, details, first_page, new_competition, new_request, places};

/// A competition with a user in each state, and a user without a registration.
struct Users {
    cup: CompetitionId,
    confirmed: UserId,
    waiting: UserId,
    withdrawn: UserId,
    removed: UserId,
    newcomer: UserId,
    /// The request of the waitlisted user.
    known: RequestId,
}

impl Users {
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

    /// Damages of the records. `request` is the request id of an organiser's call.
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
        keys.push(format!("request:{{{}}}:recent", self.cup));
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

async fn call(world: &World, users: &Users, request: RequestId, call: Call) -> Result<(), Error> {
    use Call::{
        AddNewcomer, AddOverCapacity, AddRemoved, Cancel, Create, Delete, Enlarge, Preview,
        Publish, Read, RegisterAgain, RegisterNewcomer, RegisterOnceMore, RegisterRemoved,
        RemoveConfirmed, RemoveWaiting, Rename, Seal, Shrink, WithdrawConfirmed, WithdrawWaiting,
    };
    let (by, cup) = (&world.organiser, &users.cup);
    let unchanged = ReadOnlyCompetition::default();
    let capacity = |places| CompetitionPatch {
        capacity: Some(domain::Capacity::parse(places).ok()),
        ..CompetitionPatch::default()
    };
    let update = async |patch: CompetitionPatch| match world
        .admin
        .update_competition(by, cup, &patch, &unchanged, None, request)
        .await
    {
        Ok(_) => Ok(()),
        Err(Error::Invalid(_)) => Err(Error::Corrupt("unreadable".to_owned())),
        Err(error) => Err(error),
    };
    let over = AddOptions {
        over_capacity: true,
        ignore_window: true,
    };
    match call {
        RegisterNewcomer => world.register(&users.newcomer, cup).await.map(drop),
        RegisterAgain => world.register(&users.withdrawn, cup).await.map(drop),
        RegisterOnceMore => world
            .user
            .register(&users.waiting, cup, users.known)
            .await
            .map(drop),
        RegisterRemoved => world.register(&users.removed, cup).await.map(drop),
        Preview => world
            .user
            .preview_registration(&users.newcomer, cup, request)
            .await
            .map(drop),
        WithdrawConfirmed => world.withdraw(&users.confirmed, cup).await.map(drop),
        WithdrawWaiting => world.withdraw(&users.waiting, cup).await.map(drop),
        AddNewcomer => world
            .add(&users.newcomer, cup, AddOptions::default())
            .await
            .map(drop),
        AddRemoved => world
            .add(&users.removed, cup, AddOptions::default())
            .await
            .map(drop),
        AddOverCapacity => world.add(&users.newcomer, cup, over).await.map(drop),
        RemoveConfirmed => world.remove(&users.confirmed, cup).await.map(drop),
        RemoveWaiting => world.remove(&users.waiting, cup).await.map(drop),
        Enlarge => update(capacity(3)).await,
        Shrink => update(capacity(1)).await,
        Rename => update(renamed()).await,
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
            world.admin.get_registration(cup, &users.waiting).await?;
            world
                .admin
                .list_registrations(cup, &all, &first_page(10))
                .await?;
            world.admin.audit_entries(cup, &first_page(10)).await?;
            world
                .user
                .my_registrations(&users.waiting, &first_page(10))
                .await
                .map(drop)
        }
    }
}

fn renamed() -> CompetitionPatch {
    CompetitionPatch {
        title: Title::parse("Autumn Cup").ok(),
        ..CompetitionPatch::default()
    }
}

#[tokio::test]
async fn users_calls_on_damaged_competitions_change_nothing_or_all() {
    use Call::{
        Preview, RegisterAgain, RegisterNewcomer, RegisterOnceMore, RegisterRemoved,
        WithdrawConfirmed, WithdrawWaiting,
    };
    let world = World::with_settings(&FAST).await;
    let (users, request) = (Users::of(&world).await, new_request());
    let calls = [
        RegisterNewcomer,
        RegisterAgain,
        RegisterOnceMore,
        RegisterRemoved,
        Preview,
        WithdrawConfirmed,
        WithdrawWaiting,
    ];
    let make = async |one| call(&world, &users, request, one).await;
    on_damaged(&world, &users.damages(request), &calls, make).await;
}

#[tokio::test]
async fn organisers_calls_on_damaged_competitions_change_nothing_or_all() {
    use Call::{
        AddNewcomer, AddOverCapacity, AddRemoved, Cancel, Enlarge, Read, RemoveConfirmed,
        RemoveWaiting, Rename, Seal, Shrink,
    };
    let world = World::with_settings(&FAST).await;
    let (users, request) = (Users::of(&world).await, new_request());
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
    let make = async |one| call(&world, &users, request, one).await;
    on_damaged(&world, &users.damages(request), &calls, make).await;
}

#[tokio::test]
async fn calls_on_damaged_competitions_make_at_most_the_promotions_that_are_due() {
    use Call::{
        AddNewcomer, Cancel, Enlarge, RegisterNewcomer, RemoveConfirmed, WithdrawConfirmed,
    };
    let world = World::with_settings(&FAST).await;
    let (users, request) = (Users::of(&world).await, new_request());
    let meta = format!("c:{{{}}}:meta", users.cup);
    let _: i64 = world.root(&["HSET", &meta, "capacity", "4"]).await;
    let calls = [
        RegisterNewcomer,
        WithdrawConfirmed,
        AddNewcomer,
        RemoveConfirmed,
        Enlarge,
        Cancel,
    ];
    let make = async |one| call(&world, &users, request, one).await;
    on_damaged(&world, &users.damages(request), &calls, make).await;
}

#[tokio::test]
async fn calls_on_damaged_drafts_change_nothing_or_all() {
    let world = World::with_settings(&FAST).await;
    let mut users = Users::of(&world).await;
    users.cup = world.draft(places(2)).await;
    let request = new_request();
    let calls = [
        Call::Publish,
        Call::Delete,
        Call::Create,
        Call::Enlarge,
        Call::RegisterNewcomer,
    ];
    let make = async |one| call(&world, &users, request, one).await;
    on_damaged(&world, &users.damages(request), &calls, make).await;
}

#[tokio::test]
async fn creating_a_competition_over_damaged_keys_changes_nothing_or_all() {
    let world = World::with_settings(&FAST).await;
    let mut users = Users::of(&world).await;
    users.cup = CompetitionId::parse("nothing-yet").expect("an id");
    let request = new_request();
    let make = async |one| call(&world, &users, request, one).await;
    on_damaged(&world, &users.damages(request), &[Call::Create], make).await;
}
