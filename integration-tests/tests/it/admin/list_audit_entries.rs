use api::admin::audit_actor::Id;
use api::admin::{AuditAction, AuditEntry, FieldChange, ListAuditEntriesRequest};
use api::v1::{Competition, RegistrationState};
use integration_tests::{Startlist, all_pages, assert_rejected, reason};
use prost_types::Timestamp;

/// The action, the actor, the user, and the states before and after.
type Change = (
    AuditAction,
    Option<Id>,
    String,
    Option<(RegistrationState, RegistrationState)>,
);

fn change(entry: &AuditEntry) -> Change {
    let actor = entry.actor.as_ref().and_then(|actor| actor.id.clone());
    let change = entry.registration_change.as_ref();
    let states = change.map(|change| (change.before(), change.after()));
    (entry.action(), actor, entry.user_id.clone(), states)
}

#[tokio::test]
async fn the_log_has_the_actor_the_user_and_both_states_of_each_change() {
    use RegistrationState::{Confirmed, Removed, Unspecified, Waitlisted};
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(1).open().await;
    let [ada, ben] = app.registered(&race, ["ada", "ben"]).await;
    olga.remove(&race, &ada).await.expect("removed");

    let by_olga = || Some(Id::AdminId(olga.id.clone()));
    let [by_ada, by_ben] = [&ada, &ben].map(|user| Some(Id::UserId(user.id.clone())));
    let nobody = String::new;
    let expected: [Change; 6] = [
        (AuditAction::CompetitionCreated, by_olga(), nobody(), None),
        (AuditAction::CompetitionPublished, by_olga(), nobody(), None),
        (
            AuditAction::Registered,
            by_ada,
            ada.id.clone(),
            Some((Unspecified, Confirmed)),
        ),
        (
            AuditAction::Registered,
            by_ben,
            ben.id.clone(),
            Some((Unspecified, Waitlisted)),
        ),
        (
            AuditAction::Removed,
            by_olga(),
            ada.id.clone(),
            Some((Confirmed, Removed)),
        ),
        (
            AuditAction::Promoted,
            None,
            ben.id.clone(),
            Some((Waitlisted, Confirmed)),
        ),
    ];
    let log = app.viewer().await.audit_entries(&race).await;
    let changes: Vec<_> = log.iter().map(change).collect();
    assert_eq!(changes, expected);
    let revisions = log.iter().map(|entry| entry.revision);
    assert!(revisions.eq(1..=6));
    assert!(log.iter().all(|entry| entry.at.is_some()));
    let queued = log[3].registration_change.as_ref().expect("a change");
    assert_eq!(queued.waitlist_position, Some(1));
}

#[tokio::test]
async fn the_log_has_the_reason_of_a_removal_and_the_changed_fields_of_an_update() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    let [ada] = app.registered(&race, ["ada"]).await;
    let removed = olga.remove_because(&race, &ada, "no licence").await;
    removed.expect("removed");
    let night_run = Competition {
        title: "Night Run".to_owned(),
        capacity: Some(5),
        ends_at: Some(Timestamp {
            seconds: 4_084_070_400,
            nanos: 1_000_000,
        }),
        ..race.clone()
    };
    let mask = ["title", "capacity", "ends_at", "starts_at", "venue"];
    olga.update(night_run, &mask).await.expect("updated");

    let log = olga.audit_entries(&race).await;
    assert_eq!(log[3].reason, "no licence");
    assert!(!log[3].ignore_window && !log[3].over_capacity);
    let as_text =
        |change: &FieldChange| format!("{}: {:?} {:?}", change.field, change.before, change.after);
    let mut changes: Vec<_> = log[4].field_changes.iter().map(as_text).collect();
    changes.sort_unstable();
    let ended_at = race.ends_at.expect("a moment");
    let expected = [
        r#"capacity: "" "5""#.to_owned(),
        format!(r#"ends_at: "{ended_at}" "2099-06-02T08:00:00.001Z""#),
        r#"title: "City Run" "Night Run""#.to_owned(),
    ];
    assert_eq!(changes, expected);
}

#[tokio::test]
async fn an_addition_names_its_options_and_leaves_the_reason_empty() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    for options in [(false, false), (true, false), (false, true), (true, true)] {
        let user = app
            .new_user(&format!("user-{}-{}", options.0, options.1))
            .await;
        let added = olga.add_with(&race, &user, |request| {
            (request.ignore_window, request.over_capacity) = options;
        });
        added.await.expect("added");
        let entry = olga.audit_entries(&race).await.pop().expect("an entry");
        assert_eq!((entry.ignore_window, entry.over_capacity), options);
        assert_eq!(entry.reason, "");
    }
}

#[tokio::test]
async fn all_pages_of_the_log_hold_every_entry_once() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let race = app.competition().open().await;
    app.registered(&race, ["ada", "ben", "cleo", "dora", "emma"])
        .await;
    let entries = all_pages(async |page_token| {
        let request = ListAuditEntriesRequest {
            competition_id: race.competition_id.clone(),
            page_size: 3,
            page_token,
        };
        let page = viewer.calls().list_audit_entries(request).await;
        let page = page.expect("a page").into_inner();
        (page.entries, page.next_page_token)
    });
    let revisions = entries.await.into_iter().map(|entry| entry.revision);
    assert!(revisions.eq(1..=7));
}

#[tokio::test]
async fn the_log_of_an_absent_competition_is_not_found() {
    let app = Startlist::start().await;
    let request = ListAuditEntriesRequest {
        competition_id: "no-such-race".to_owned(),
        ..Default::default()
    };
    let reply = app.viewer().await.calls().list_audit_entries(request).await;
    assert_rejected(reply, reason::COMPETITION_NOT_FOUND);
}
