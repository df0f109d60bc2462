use api::admin::audit_actor::Id;
use api::admin::{AuditAction, AuditEntry, ListAuditEntriesRequest};
use api::v1::{Competition, RegistrationState};
use integration_tests::{Startlist, User, assert_rejected};
use tonic::Code;

/// What was done, by whom, to whom, from which state to which.
type Told = (
    AuditAction,
    Option<Id>,
    String,
    Option<(RegistrationState, RegistrationState)>,
);

fn told(entry: &AuditEntry) -> Told {
    let actor = entry.actor.as_ref().and_then(|actor| actor.id.clone());
    let change = entry.registration_change.as_ref();
    let states = change.map(|change| (change.before(), change.after()));
    (entry.action(), actor, entry.user_id.clone(), states)
}

#[tokio::test]
async fn the_log_says_who_did_what_to_whom() {
    use RegistrationState::{Confirmed, Removed, Unspecified, Waitlisted};
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    let race = app.competition().capacity(1).open().await;
    ada.register(&race).await.expect("a place");
    ben.register(&race).await.expect("a place in the queue");
    olga.remove(&race, &ada).await.expect("removed");

    let olga = Some(Id::AdminId(olga.id));
    let by = |user: &User| Some(Id::UserId(user.id.clone()));
    let expected: [Told; 6] = [
        (
            AuditAction::CompetitionCreated,
            olga.clone(),
            String::new(),
            None,
        ),
        (
            AuditAction::CompetitionPublished,
            olga.clone(),
            String::new(),
            None,
        ),
        (
            AuditAction::Registered,
            by(&ada),
            ada.id.clone(),
            Some((Unspecified, Confirmed)),
        ),
        (
            AuditAction::Registered,
            by(&ben),
            ben.id.clone(),
            Some((Unspecified, Waitlisted)),
        ),
        (
            AuditAction::Removed,
            olga,
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
    let found: Vec<_> = log.iter().map(told).collect();
    assert_eq!(found, expected);
    let revisions: Vec<_> = log.iter().map(|entry| entry.revision).collect();
    assert_eq!(revisions, [1, 2, 3, 4, 5, 6]);
    assert!(log.iter().all(|entry| entry.at.is_some()));
    let queued = log[3].registration_change.as_ref().expect("a change");
    assert_eq!(queued.waitlist_position, Some(1));
}

#[tokio::test]
async fn the_log_says_what_changed_and_why() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    ada.register(&race).await.expect("a place");
    olga.remove_because(&race, &ada, "no licence")
        .await
        .expect("removed");
    let later = Competition {
        title: "Night Run".to_owned(),
        capacity: Some(5),
        ..race.clone()
    };
    olga.update(later, &["title", "capacity"])
        .await
        .expect("updated");

    let log = olga.audit_entries(&race).await;
    assert_eq!(log[3].reason, "no licence");
    assert!(!log[3].ignore_window && !log[3].over_capacity);
    let mut changes: Vec<_> = log[4]
        .field_changes
        .iter()
        .map(|change| {
            (
                change.field.as_str(),
                change.before.as_str(),
                change.after.as_str(),
            )
        })
        .collect();
    changes.sort_unstable();
    assert_eq!(
        changes,
        [("capacity", "", "5"), ("title", "City Run", "Night Run")]
    );
}

#[tokio::test]
async fn an_addition_names_its_options_and_leaves_the_reason_empty() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    for (ignore_window, over_capacity) in
        [(false, false), (true, false), (false, true), (true, true)]
    {
        let user = app
            .new_user(&format!("user-{ignore_window}-{over_capacity}"))
            .await;
        olga.add_with(&race, &user, |request| {
            request.ignore_window = ignore_window;
            request.over_capacity = over_capacity;
        })
        .await
        .expect("added");

        let entry = olga.audit_entries(&race).await.pop().expect("an entry");
        assert_eq!(
            (entry.ignore_window, entry.over_capacity),
            (ignore_window, over_capacity)
        );
        assert_eq!(entry.reason, "");
    }
}

#[tokio::test]
async fn pages_hold_every_entry_once() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let race = app.competition().open().await;
    for number in 0..5 {
        let user = app.new_user(&format!("user-{number}")).await;
        user.register(&race).await.expect("a place");
    }
    let mut revisions = Vec::new();
    let mut request = ListAuditEntriesRequest {
        competition_id: race.competition_id.clone(),
        page_size: 3,
        page_token: String::new(),
    };
    loop {
        let page = viewer.calls().list_audit_entries(request.clone()).await;
        let page = page.expect("a page").into_inner();
        revisions.extend(page.entries.iter().map(|entry| entry.revision));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(revisions, [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn the_log_of_nothing_is_not_there() {
    let app = Startlist::start().await;
    let request = ListAuditEntriesRequest {
        competition_id: "no-such-race".to_owned(),
        ..Default::default()
    };
    let answer = app.viewer().await.calls().list_audit_entries(request).await;
    assert_rejected(answer, Code::NotFound, "COMPETITION_NOT_FOUND");
}
