//! Many at once: the limit is exact, nobody is lost, and the log says how it came.

use std::collections::HashSet;

use domain::model::Model;
use domain::{
    Action, AuditEntry, Capacity, Change, CompetitionId, CompetitionPatch, Registration,
    RegistrationState, UserId,
};
use store::UserStore;

use crate::world::{World, insist, join_all, new_request, places};

/// Replays the log through the rules, and finds in Redis exactly what it makes.
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

/// Finds an answer in the log, at the revision that it names.
fn assert_logged(log: &[AuditEntry], answer: &Registration) {
    let entry = usize::try_from(answer.revision.get() - 1)
        .ok()
        .and_then(|n| log.get(n));
    let entry = entry.expect("an entry of that revision");
    assert_eq!(entry.revision, answer.revision);
    let Change::Registration {
        user_id,
        after,
        waitlist_position,
        ..
    } = &entry.change
    else {
        panic!("{entry:?} is not about a registration");
    };
    assert_eq!((user_id, *after), (&answer.user_id, answer.state));
    assert_eq!(*waitlist_position, answer.waitlist_position);
    assert_eq!(entry.at, answer.updated_at);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_for_ten_places_with_two_hundred_withdrawing_at_once_three_times() {
    let world = World::new().await;
    let people = world.people(1_000).await;
    // As two processes of user-service.
    let servers = [&world.user, &world.another_user_store()];
    for round in 0..3 {
        let cup = world.competition(places(10)).await;
        let calls = people.iter().enumerate().map(async |(n, user)| {
            let server: &UserStore = servers[n % servers.len()];
            let mut answers = vec![insist(async |id| server.register(user, &cup, id).await).await];
            if (n + round) % 5 == 0 {
                answers.push(insist(async |id| server.withdraw(user, &cup, id).await).await);
            }
            answers
        });
        let answers = join_all(calls).await;

        let log = check(&world, &cup, &people).await;
        assert_eq!(world.counts(&cup).await, (10, 790));
        for answer in answers.iter().flatten() {
            assert_logged(
                &log,
                answer
                    .as_ref()
                    .expect("everybody may register and withdraw"),
            );
        }
        let asked = answers.iter().flatten().count();
        let promoted = log
            .iter()
            .filter(|entry| entry.action == Action::Promote)
            .count();
        assert_eq!(log.len(), 2 + asked + promoted, "nothing is decided twice");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_waitlist_is_exact_too() {
    let world = World::new().await;
    let people = world.people(300).await;
    let cup = world.competition(places(7).waitlist(5)).await;
    let calls = people
        .iter()
        .map(|user| insist(async |id| world.user.register(user, &cup, id).await));
    let answers = join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 12);
    assert_eq!(world.counts(&cup).await, (7, 5));
    check(&world, &cup, &people).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_and_organisers_at_once_keep_the_rules() {
    let world = World::new().await;
    let people = world.people(120).await;
    let cup = world.competition(places(20).waitlist(40)).await;
    let users = join_all(people.iter().enumerate().map(async |(n, user)| {
        let _ = insist(async |id| world.user.register(user, &cup, id).await).await;
        if n % 3 == 0 {
            let _ = insist(async |id| world.user.withdraw(user, &cup, id).await).await;
            let _ = insist(async |id| world.user.register(user, &cup, id).await).await;
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
            // Fewer than are in is refused; the log is what is checked.
            let _ = world.update(&cup, patch).await;
        }
    };
    tokio::join!(users, capacities);
    let log = check(&world, &cup, &people).await;
    assert!(log.iter().any(|entry| entry.action == Action::Promote));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_deleted_while_it_registers_leaves_no_place_behind() {
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
                    // As user-service does: first the session.
                    if world
                        .user
                        .user_session(&session.token)
                        .await
                        .expect("an answer")
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
async fn one_user_who_registers_many_times_at_once_is_in_once() {
    let world = World::new().await;
    let cup = world.competition(places(10)).await;
    let ada = world.person().await;
    let answers = join_all((0..50).map(|_| world.register(&ada, &cup))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let request = new_request();
    let bob = world.person().await;
    let answers = join_all((0..50).map(|_| world.user.register(&bob, &cup, request))).await;
    let answers: HashSet<_> = answers
        .into_iter()
        .map(|answer| answer.expect("in").revision)
        .collect();
    assert_eq!(
        answers.len(),
        1,
        "one request is one change, however often it comes"
    );
    assert_eq!(world.counts(&cup).await, (2, 0));
    assert_eq!(world.state(&bob, &cup).await, RegistrationState::Confirmed);
}
