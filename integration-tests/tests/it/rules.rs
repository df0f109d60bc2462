//! The twelve rules, each by its name, as clients see them.

use api::user::{DeleteMeRequest, RegisterRequest};
use api::v1::{Competition, Registration, RegistrationState};
use integration_tests::{Admin, PASSWORD, Startlist, User, assert_rejected, from_now};
use tonic::{Code, Status};
use uuid::Uuid;

const CONFIRMED: RegistrationState = RegistrationState::Confirmed;
const WAITLISTED: RegistrationState = RegistrationState::Waitlisted;

/// Users who have registered in this order.
async fn registered<const N: usize>(
    app: &Startlist,
    race: &Competition,
    names: [&str; N],
) -> [User; N] {
    let mut users = Vec::new();
    for name in names {
        let user = app.new_user(name).await;
        user.register(race).await.expect("in or waiting");
        users.push(user);
    }
    users
        .try_into()
        .unwrap_or_else(|_| unreachable!("as many as names"))
}

async fn state(user: &User, race: &Competition) -> RegistrationState {
    user.registration(race)
        .await
        .expect("a registration")
        .state()
}

#[tokio::test]
async fn rule_1_never_more_are_in_than_there_are_places_unless_an_admin_says_so() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(2).open().await;
    let [_, _, waiting] = registered(&app, &race, ["ada", "ben", "cleo"]).await;
    assert_eq!(state(&waiting, &race).await, WAITLISTED);
    assert_eq!(olga.competition(&race).await.confirmed_count, 2);

    let dora = app.new_user("dora").await;
    let over = olga
        .add_with(&race, &dora, |request| request.over_capacity = true)
        .await;
    assert_eq!(over.expect("added").state(), CONFIRMED);
    assert_eq!(olga.competition(&race).await.confirmed_count, 3);

    dora.withdraw(&race).await.expect("out");
    assert_eq!(
        state(&waiting, &race).await,
        WAITLISTED,
        "no place became free"
    );
}

/// How a place becomes free.
#[derive(Debug, Clone, Copy)]
enum Path {
    Withdrawal,
    Removal,
    LargerCapacity,
    DeletedAccount,
    WithdrawalAfterClosing,
}

/// Frees a place in a competition with one place, which is Ada's.
async fn free_a_place(path: Path, olga: &Admin, ada: &User, race: &Competition) {
    match path {
        Path::Withdrawal => drop(ada.withdraw(race).await.expect("out")),
        Path::Removal => drop(olga.remove(race, ada).await.expect("removed")),
        Path::LargerCapacity => {
            let larger = Competition {
                capacity: Some(2),
                ..race.clone()
            };
            olga.update(larger, &["capacity"]).await.expect("updated");
        }
        Path::DeletedAccount => {
            let password = PASSWORD.to_owned();
            let request = DeleteMeRequest {
                password,
                ..Default::default()
            };
            ada.calls().delete_me(request).await.expect("deleted");
        }
        Path::WithdrawalAfterClosing => {
            let registration_closes_at = Some(from_now(0));
            let closed = Competition {
                registration_closes_at,
                ..race.clone()
            };
            olga.update(closed, &["registration_closes_at"])
                .await
                .expect("closed");
            ada.withdraw(race).await.expect("out");
        }
    }
}

#[tokio::test]
async fn rule_2_a_place_that_becomes_free_by_any_path_goes_to_the_first_in_the_queue() {
    for path in [
        Path::Withdrawal,
        Path::Removal,
        Path::LargerCapacity,
        Path::DeletedAccount,
        Path::WithdrawalAfterClosing,
    ] {
        let app = Startlist::start().await;
        let olga = app.organiser().await;
        let race = app.competition().capacity(1).open().await;
        let [ada, first, second] = registered(&app, &race, ["ada", "ben", "cleo"]).await;
        free_a_place(path, &olga, &ada, &race).await;
        assert_eq!(state(&first, &race).await, CONFIRMED, "{path:?}");
        assert_eq!(state(&second, &race).await, WAITLISTED, "{path:?}");
        let now = olga.competition(&race).await;
        assert_eq!(Some(now.confirmed_count), now.capacity, "{path:?}");
    }
}

#[tokio::test]
async fn rule_2_a_newcomer_never_passes_the_queue() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(1).open().await;
    let [ada, ben] = registered(&app, &race, ["ada", "ben"]).await;
    ada.withdraw(&race).await.expect("out");
    assert_eq!(state(&ben, &race).await, CONFIRMED);
    let again = ada.register(&race).await.expect("at the end of the queue");
    assert_eq!(again.waitlist_position, Some(1));
    let cleo = app.new_user("cleo").await;
    let behind = olga.add(&race, &cleo).await.expect("added");
    assert_eq!(behind.waitlist_position, Some(2));
}

#[tokio::test]
async fn rule_3_one_entry_per_user_and_competition() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    let [ada] = registered(&app, &race, ["ada"]).await;
    assert_rejected(
        ada.register(&race).await,
        Code::AlreadyExists,
        "ALREADY_REGISTERED",
    );
    assert_rejected(
        olga.add(&race, &ada).await,
        Code::AlreadyExists,
        "ALREADY_REGISTERED",
    );
    assert_eq!(olga.registrations(&race).await.len(), 1);
}

#[tokio::test]
async fn rule_4_order_is_the_revision_that_every_answer_names() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let race = app.competition().capacity(1).open().await;
    let users = registered(&app, &race, ["ada", "ben", "cleo", "dora"]).await;
    let mut revision = race.revision;
    for (position, user) in users.iter().enumerate() {
        revision += 1;
        let registration = user.registration(&race).await.expect("a registration");
        assert_eq!(registration.revision, revision);
        let waits_as = i32::try_from(position)
            .ok()
            .filter(|position| *position > 0);
        assert_eq!(registration.waitlist_position, waits_as);
    }
    assert_eq!(viewer.competition(&race).await.revision, revision);
    let refusal = assert_rejected(
        users[0].register(&race).await,
        Code::AlreadyExists,
        "ALREADY_REGISTERED",
    );
    assert_eq!(
        refusal.fact("revision"),
        revision.to_string(),
        "refusals too"
    );
}

#[tokio::test]
async fn rule_5_one_can_withdraw_until_the_start_and_comes_back_at_the_end() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app
        .competition()
        .capacity(1)
        .waitlist_capacity(2)
        .open()
        .await;
    let [ada, ben, cleo] = registered(&app, &race, ["ada", "ben", "cleo"]).await;
    ben.withdraw(&race).await.expect("who waits can withdraw");
    let again = ben.register(&race).await.expect("one can come back");
    assert_eq!(again.waitlist_position, Some(2), "behind cleo");
    ada.withdraw(&race)
        .await
        .expect("all is full, and one can withdraw");

    let closed = Competition {
        registration_closes_at: Some(from_now(0)),
        ..race.clone()
    };
    olga.update(closed, &["registration_closes_at"])
        .await
        .expect("closed");
    cleo.withdraw(&race)
        .await
        .expect("it is closed, and one can withdraw");
    assert_eq!(state(&ben, &race).await, CONFIRMED);

    let started = Competition {
        starts_at: Some(from_now(0)),
        ..race.clone()
    };
    olga.update(started, &["starts_at"]).await.expect("started");
    let answer = ben.withdraw(&race).await;
    assert_rejected(answer, Code::FailedPrecondition, "COMPETITION_STARTED");
}

#[tokio::test]
async fn rule_5_who_was_removed_comes_back_by_an_admin_only() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    let [ada] = registered(&app, &race, ["ada"]).await;
    olga.remove(&race, &ada).await.expect("removed");
    let answer = ada.register(&race).await;
    assert_rejected(answer, Code::FailedPrecondition, "REMOVED_BY_ORGANISER");
    assert_eq!(
        olga.add(&race, &ada).await.expect("added").state(),
        CONFIRMED
    );
    ada.withdraw(&race).await.expect("out");
    ada.register(&race).await.expect("the removal is over");
}

#[tokio::test]
async fn rule_6_the_window_is_from_its_opening_to_just_before_its_closing() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().not_open_yet().open().await;
    let ada = app.new_user("ada").await;
    let answer = ada.register(&race).await;
    assert_rejected(
        answer,
        Code::FailedPrecondition,
        "REGISTRATION_NOT_OPEN_YET",
    );

    let opened = Competition {
        registration_opens_at: Some(from_now(0)),
        ..race.clone()
    };
    olga.update(opened, &["registration_opens_at"])
        .await
        .expect("opened");
    ada.register(&race)
        .await
        .expect("at the moment of the opening it is open");

    let earlier = Competition {
        registration_opens_at: Some(from_now(-1)),
        ..race.clone()
    };
    let closed = Competition {
        registration_closes_at: Some(from_now(0)),
        ..earlier
    };
    let mask = ["registration_opens_at", "registration_closes_at"];
    olga.update(closed, &mask).await.expect("closed");
    let ben = app.new_user("ben").await;
    let answer = ben.register(&race).await;
    assert_rejected(answer, Code::FailedPrecondition, "REGISTRATION_CLOSED");
}

#[tokio::test]
async fn rule_7_a_capacity_below_those_who_are_in_is_refused() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(5).open().await;
    registered(&app, &race, ["ada", "ben", "cleo"]).await;
    let smaller = |capacity| Competition {
        capacity: Some(capacity),
        ..race.clone()
    };
    let answer = olga.update(smaller(2), &["capacity"]).await;
    let refusal = assert_rejected(answer, Code::FailedPrecondition, "CAPACITY_BELOW_CONFIRMED");
    assert_eq!(
        (refusal.fact("capacity"), refusal.fact("confirmed_count")),
        ("2", "3")
    );
    olga.update(smaller(3), &["capacity"])
        .await
        .expect("as many as are in");
}

#[tokio::test]
async fn rule_8_cancelling_keeps_the_records_and_drafts_do_not_exist() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    let [ada] = registered(&app, &race, ["ada"]).await;
    olga.cancel(&race).await.expect("cancelled");
    assert_eq!(state(&ada, &race).await, CONFIRMED);
    let ben = app.new_user("ben").await;
    let answer = ben.register(&race).await;
    assert_rejected(answer, Code::FailedPrecondition, "COMPETITION_CANCELLED");
    let draft = app.competition().draft().await;
    for answer in [
        ben.register(&draft).await,
        ben.withdraw(&draft).await,
        ben.registration(&draft).await,
    ] {
        assert_rejected(answer, Code::NotFound, "COMPETITION_NOT_FOUND");
    }
}

#[tokio::test]
async fn rule_9_every_change_is_in_the_log_once_and_without_personal_data() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(1).open().await;
    let [ada, ben] = registered(&app, &race, ["lovelace", "babbage-c"]).await;
    ada.withdraw(&race).await.expect("out");
    olga.remove(&race, &ben).await.expect("removed");
    olga.cancel(&race).await.expect("cancelled");

    let log = olga.audit_entries(&race).await;
    let revisions: Vec<_> = log.iter().map(|entry| entry.revision).collect();
    let last = olga.competition(&race).await.revision;
    assert!(revisions.into_iter().eq(1..=last));
    let told = format!("{log:?}");
    for personal in ["@", "lovelace", "babbage-c"] {
        assert!(!told.contains(personal), "{personal} stands in {told}");
    }
}

#[tokio::test]
async fn rule_10_every_count_is_the_size_of_a_set() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(2).open().await;
    let users = registered(&app, &race, ["ada", "ben", "cleo", "dora", "emma"]).await;
    users[0].withdraw(&race).await.expect("out");
    olga.remove(&race, &users[3]).await.expect("removed");
    users[0].register(&race).await.expect("back");

    let entries = olga.registrations(&race).await;
    let registrations = entries
        .into_iter()
        .map(|entry| entry.registration.expect("one"));
    let (confirmed, waiting): (Vec<_>, Vec<_>) =
        registrations.partition(|registration| registration.state() == CONFIRMED);
    let now = olga.competition(&race).await;
    let count = |set: &[Registration]| i32::try_from(set.len()).expect("a few");
    assert_eq!(
        (now.confirmed_count, now.waitlisted_count),
        (count(&confirmed), count(&waiting))
    );
    let mut positions: Vec<_> = waiting
        .iter()
        .filter_map(|one| one.waitlist_position)
        .collect();
    positions.sort_unstable();
    assert!(positions.into_iter().eq(1..=now.waitlisted_count));
}

/// Registers under a name of the intention.
async fn register_as(user: &User, race: &Competition, id: Uuid) -> Result<Registration, Status> {
    let request = RegisterRequest {
        competition_id: race.competition_id.clone(),
        request_id: id.to_string(),
        validate_only: false,
    };
    let answer = user.calls().register(request).await?.into_inner();
    Ok(answer.registration.expect("a registration"))
}

#[tokio::test]
async fn rule_11_a_repeated_request_is_answered_as_the_first_time_and_refusals_afresh() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let race = app.competition().capacity(1).no_waitlist().open().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    let (one, two) = (Uuid::new_v4(), Uuid::new_v4());
    let first = register_as(&ada, &race, one).await.expect("a place");
    let revision = viewer.competition(&race).await.revision;
    assert_eq!(
        register_as(&ada, &race, one).await.expect("the same"),
        first
    );
    assert_eq!(
        viewer.competition(&race).await.revision,
        revision,
        "nothing changed"
    );

    let answer = register_as(&ben, &race, two).await;
    assert_rejected(answer, Code::FailedPrecondition, "COMPETITION_FULL");
    ada.withdraw(&race).await.expect("out");
    let afresh = register_as(&ben, &race, two)
        .await
        .expect("there is a place now");
    assert_eq!(afresh.state(), CONFIRMED);
}

#[tokio::test]
async fn rule_12_a_write_that_names_an_old_etag_is_refused() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    let renamed = |title: &str, etag: &str| api::admin::UpdateCompetitionRequest {
        competition: Some(Competition {
            title: title.to_owned(),
            etag: etag.to_owned(),
            ..race.clone()
        }),
        ..Default::default()
    };
    olga.calls()
        .update_competition(renamed("one", &race.etag))
        .await
        .expect("the newest");
    let answer = olga
        .calls()
        .update_competition(renamed("two", &race.etag))
        .await;
    assert_rejected(answer, Code::Aborted, "ETAG_MISMATCH");
    olga.calls()
        .update_competition(renamed("three", ""))
        .await
        .expect("none, no question");
}
