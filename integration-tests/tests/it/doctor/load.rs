//! Changes that the services make during an examination are no findings.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use api::user::ListMyRegistrationsRequest;
use api::v1::{Competition, User as Profile};
use doctor::Examiner;
use futures::future::join_all;
use integration_tests::{DAY, PASSWORD, Startlist, from_now};
use store::{AdminStore, Redis};

use super::{System, assert_sound};

/// The load ends after so many examinations and changes.
const EXAMINATIONS: usize = 20;
const CHANGES: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_under_load_has_no_findings() {
    let system = System::start().await;
    let app = &system.app;
    let mut races = Vec::new();
    for places in [1, 5, 50] {
        races.push(app.competition().capacity(places).open().await);
    }
    let end = AtomicBool::new(false);
    let changes = AtomicUsize::new(0);
    let continues = || {
        changes.fetch_add(1, Ordering::Relaxed);
        !end.load(Ordering::Relaxed)
    };
    let users = join_all((0..8).map(|number| use_accounts(app, &races, number, &continues)));
    let organiser = organise(app, &races, &continues);
    let redis = Redis::new(&system.url("admin-service"), None).expect("a URL");
    let sealer = AdminStore::new(&redis);
    let seal = async {
        while continues() {
            // A timeout of Redis does not matter here.
            let _ = sealer.seal_all().await;
            tokio::task::yield_now().await;
        }
    };
    let examine = async {
        let redis = Redis::new(&system.url("doctor"), None).expect("a URL");
        let examiner = Examiner::new(&redis);
        let mut examinations = 0;
        while examinations < EXAMINATIONS || changes.load(Ordering::Relaxed) < CHANGES {
            let report = examiner.examine(|_| {}).await.expect("a report");
            assert_eq!(report.findings, [], "examination {examinations}");
            examinations += 1;
        }
        end.store(true, Ordering::Relaxed);
    };
    tokio::join!(users, organiser, seal, examine);
    assert_sound(&system.examine().await);
}

/// Users who sign up, register, withdraw, register again, and delete their accounts.
async fn use_accounts(
    app: &Startlist,
    races: &[Competition],
    number: usize,
    continues: &impl Fn() -> bool,
) {
    let mut round = 0;
    while continues() {
        round += 1;
        let user = app.new_user(&format!("runner-{number}-{round}")).await;
        for race in races {
            // It may be full.
            let _ = user.register(race).await;
            continues();
        }
        let _ = user.withdraw(&races[round % races.len()]).await;
        let _ = user.register(&races[(round + 1) % races.len()]).await;
        let profile = Profile {
            club: format!("Club {round}"),
            ..Default::default()
        };
        user.update(profile, &["club"]).await.expect("updated");
        let request = ListMyRegistrationsRequest::default();
        let list = user.calls().list_my_registrations(request).await;
        list.expect("a list");
        if !round.is_multiple_of(3) {
            user.delete(PASSWORD).await.expect("deleted");
        }
    }
}

/// An organiser who moves competitions, raises their capacities, and deletes drafts.
async fn organise(app: &Startlist, races: &[Competition], continues: &impl Fn() -> bool) {
    let mut round = 0;
    while continues() {
        round += 1;
        // Each draft opens a session, and an admin keeps the newest 20.
        let olga = app.organiser().await;
        for race in races {
            let mut moved = race.clone();
            moved.starts_at = Some(from_now((30 + round % 7) * DAY));
            moved.ends_at = Some(from_now((40 + round % 7) * DAY));
            // It may conflict with another update.
            let _ = olga.update(moved, &["starts_at", "ends_at"]).await;
            let mut larger = olga.competition(race).await;
            larger.capacity = larger.capacity.map(|places| places + 1);
            let _ = olga.update(larger, &["capacity"]).await;
            continues();
        }
        let draft = app.competition().draft().await;
        let _ = olga.delete(&draft).await;
    }
}
