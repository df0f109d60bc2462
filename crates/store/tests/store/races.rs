//! Many concurrent calls: limits are exact, no call is lost, and the log explains every result.

use std::collections::HashSet;

use domain::model::Model;
use domain::{
    Action, AuditEntry, Capacity, Change, CompetitionId, CompetitionPatch, Registration,
    RegistrationState, UserId,
};
use store::UserStore;

use crate::world::{World, join_all, new_request, places, retry};

/// Replays the log with the rules, and checks that Redis holds exactly the result.
async fn check(world: &World, competition: &CompetitionId, people: &[UserId]) -> Vec<AuditEntry> {
    let log = world.log(competition).await;
    let mut model = Model::default();
    for entry in &log {
        model.apply(entry).expect("the rules allow it");
    }
    let found = world
        .user
        .get_public_competition(competition)
        .await
        .expect("a competition");
    assert_eq!(found.revision, model.revision());
    assert_eq!(found.confirmed_count as usize, model.confirmed_count());
    let queue: Vec<String> = world
        .root(&[
            "ZRANGE",
            &format!("c:{{{competition}}}:waitlist"),
            "0",
            "-1",
        ])
        .await;
    assert!(
        queue
            .iter()
            .map(String::as_str)
            .eq(model.queue().map(UserId::as_str))
    );
    for user in people {
        let entry = world.admin.get_registration(competition, user).await;
        let state = entry.ok().map(|entry| entry.registration.state);
        assert_eq!(state, model.registration(user), "{user}");
    }
    log
}

/// Checks that a result is in the log at its revision.
fn assert_logged(log: &[AuditEntry], result: &Registration) {
    let entry = usize::try_from(result.revision.get() - 1)
        .ok()
        .and_then(|n| log.get(n));
    let entry = entry.expect("an entry of that revision");
    assert_eq!(entry.revision, result.revision);
    let Change::Registration {
        user_id,
        after,
        waitlist_position,
        ..
    } = &entry.change
    else {
        panic!("{entry:?} is not about a registration");
    };
    assert_eq!((user_id, *after), (&result.user_id, result.state));
    assert_eq!(*waitlist_position, result.waitlist_position);
    assert_eq!(entry.at, result.updated_at);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_concurrent_users_ten_are_confirmed_also_while_two_hundred_withdraw() {
    let world = World::new().await;
    let people = world.people(1_000).await;
    // Two processes of user-service.
    let servers = [&world.user, &world.another_user_store()];
    for round in 0..3 {
        let cup = world.competition(places(10)).await;
        let calls = people.iter().enumerate().map(async |(n, user)| {
            let server: &UserStore = servers[n % servers.len()];
            let mut results = vec![retry(async |id| server.register(user, &cup, id).await).await];
            if (n + round) % 5 == 0 {
                results.push(retry(async |id| server.withdraw(user, &cup, id).await).await);
            }
            results
        });
        let results = join_all(calls).await;

        let log = check(&world, &cup, &people).await;
        assert_eq!(world.counts(&cup).await, (10, 790));
        for result in results.iter().flatten() {
            assert_logged(&log, result.as_ref().expect("no rule forbids it"));
        }
        let asked = results.iter().flatten().count();
        let promoted = log
            .iter()
            .filter(|entry| entry.action == Action::Promote)
            .count();
        assert_eq!(log.len(), 2 + asked + promoted, "nothing is decided twice");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limit_of_the_waitlist_is_exact_too() {
    let world = World::new().await;
    let people = world.people(300).await;
    let cup = world.competition(places(7).waitlist(5)).await;
    let calls = people
        .iter()
        .map(|user| retry(async |id| world.user.register(user, &cup, id).await));
    let results = join_all(calls).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 12);
    assert_eq!(world.counts(&cup).await, (7, 5));
    check(&world, &cup, &people).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_users_and_organisers_keep_the_rules() {
    let world = World::new().await;
    let people = world.people(120).await;
    let cup = world.competition(places(20).waitlist(40)).await;
    let users = join_all(people.iter().enumerate().map(async |(n, user)| {
        let _ = retry(async |id| world.user.register(user, &cup, id).await).await;
        if n % 3 == 0 {
            let _ = retry(async |id| world.user.withdraw(user, &cup, id).await).await;
            let _ = retry(async |id| world.user.register(user, &cup, id).await).await;
        }
        if n % 7 == 0 {
            let _ = world.remove(user, &cup).await;
        }
    }));
    let capacities = async {
        for count in [25, 60, 10, 40, 30, 120] {
            let patch = CompetitionPatch {
                capacity: Some(Capacity::parse(count).ok()),
                ..CompetitionPatch::default()
            };
            // A capacity below the number of confirmed users is refused. `check` compares the log.
            let _ = world.update(&cup, patch).await;
        }
    };
    tokio::join!(users, capacities);
    let log = check(&world, &cup, &people).await;
    assert!(log.iter().any(|entry| entry.action == Action::Promote));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_erased_while_it_registers_keeps_no_place() {
    let world = World::new().await;
    let cup = world.competition(places(1_000)).await;
    let names: Vec<_> = (0..60).map(|n| format!("leaver-{n}")).collect();
    let leavers = join_all(names.iter().map(|name| world.sign_up(name))).await;
    let leaving =
        names
            .iter()
            .zip(&leavers)
            .enumerate()
            .map(async |(n, (name, (user, session)))| {
                let registering = async {
                    for _ in 0..n % 6 {
                        tokio::task::yield_now().await;
                    }
                    // The session is read first, as in user-service.
                    if world
                        .user
                        .user_session(&session.token)
                        .await
                        .expect("an result")
                        .is_some()
                    {
                        let _ = world.register(user, &cup).await;
                    }
                };
                tokio::join!(registering, world.erase(name, user, session));
            });
    join_all(leaving).await;
    assert_eq!(world.counts(&cup).await, (0, 0));
    for (user, _) in &leavers {
        let index: i64 = world
            .root(&["EXISTS", &format!("u:{{{user}}}:competitions")])
            .await;
        assert_eq!(index, 0, "nothing is left of the index");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_registers_many_times_at_once_is_registered_once() {
    let world = World::new().await;
    let cup = world.competition(places(10)).await;
    let ada = world.person().await;
    let results = join_all((0..50).map(|_| world.register(&ada, &cup))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let request = new_request();
    let bob = world.person().await;
    let results = join_all((0..50).map(|_| world.user.register(&bob, &cup, request))).await;
    let results: HashSet<_> = results
        .into_iter()
        .map(|result| result.expect("in").revision)
        .collect();
    assert_eq!(
        results.len(),
        1,
        "one request is one change, however often it comes"
    );
    assert_eq!(world.counts(&cup).await, (2, 0));
    assert_eq!(world.state(&bob, &cup).await, RegistrationState::Confirmed);
}
