//! What the services do while the doctor looks is no finding.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use api::user::{ListMyRegistrationsRequest, UpdateMeRequest};
use api::v1::{Competition, User as Profile};
use doctor::Examiner;
use integration_tests::{DAY, Startlist, User, from_now};
use prost_types::FieldMask;
use store::{AdminStore, Redis};

use super::{System, delete_account};

/// How often it is examined.
const EXAMINATIONS: usize = 20;
/// How much happens meanwhile, or it is examined more often.
const CHANGES_AT_LEAST: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_under_load_is_never_found_wrong() {
    let system = System::start().await;
    let app = &system.app;
    let mut races = Vec::new();
    for places in [1, 5, 50] {
        races.push(app.competition().capacity(places).open().await);
    }
    let end = AtomicBool::new(false);
    let changes = AtomicUsize::new(0);
    let goes_on = || {
        changes.fetch_add(1, Ordering::Relaxed);
        !end.load(Ordering::Relaxed)
    };
    let users = futures::future::join_all((0..8).map(|n| come_and_go(app, &races, n, &goes_on)));
    let organiser = organise(app, &races, &goes_on);
    let redis = Redis::new(&system.url("admin-service"), None).expect("a URL");
    let sealer = AdminStore::new(&redis);
    let seal = async {
        while goes_on() {
            // A Redis that is slow for a moment does not matter here.
            let _ = sealer.seal_all().await;
            tokio::task::yield_now().await;
        }
    };
    let examine = async {
        let redis = Redis::new(&system.url("doctor"), None).expect("a URL");
        let examiner = Examiner::new(&redis);
        let mut examinations = 0;
        while examinations < EXAMINATIONS || changes.load(Ordering::Relaxed) < CHANGES_AT_LEAST {
            let report = examiner.examine(|_| {}).await.expect("a report");
            assert_eq!(report.findings, [], "examination {examinations}");
            examinations += 1;
        }
        end.store(true, Ordering::Relaxed);
    };
    tokio::join!(users, organiser, seal, examine);
    super::assert_sound(&system.examine().await);
}

/// People who sign up, register, change their minds, and delete their accounts.
async fn come_and_go(
    app: &Startlist,
    races: &[Competition],
    crowd: usize,
    goes_on: &impl Fn() -> bool,
) {
    let mut round = 0;
    while goes_on() {
        round += 1;
        let user = app.new_user(&format!("runner-{crowd}-{round}")).await;
        for race in races {
            // Full, or removed: both are answers.
            let _ = user.register(race).await;
            goes_on();
        }
        let _ = user.withdraw(&races[round % races.len()]).await;
        let _ = user.register(&races[(round + 1) % races.len()]).await;
        rename(&user, round).await;
        let list = ListMyRegistrationsRequest::default();
        user.calls()
            .list_my_registrations(list)
            .await
            .expect("a list");
        if !round.is_multiple_of(3) {
            delete_account(&user).await;
        }
    }
}

async fn rename(user: &User, round: usize) {
    let request = UpdateMeRequest {
        user: Some(Profile {
            club: format!("Club {round}"),
            ..Default::default()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["club".to_owned()],
        }),
        ..Default::default()
    };
    user.calls().update_me(request).await.expect("renamed");
}

/// Somebody who moves competitions, makes more places, and removes whom she finds.
async fn organise(app: &Startlist, races: &[Competition], goes_on: &impl Fn() -> bool) {
    let mut round = 0;
    while goes_on() {
        round += 1;
        // Of all her sessions the last 20 are kept, and each draft begins one.
        let olga = app.organiser().await;
        for race in races {
            let mut moved = race.clone();
            moved.starts_at = Some(from_now((30 + round % 7) * DAY));
            moved.ends_at = Some(from_now((40 + round % 7) * DAY));
            // Refused while more are confirmed.
            let _ = olga.update(moved, &["starts_at", "ends_at"]).await;
            let mut larger = olga.competition(race).await;
            larger.capacity = larger.capacity.map(|places| places + 1);
            let _ = olga.update(larger, &["capacity"]).await;
            goes_on();
        }
        let draft = app.competition().draft().await;
        let _ = olga.delete(&draft).await;
    }
}
