use api::admin::{ListRegistrationsRequest, RegistrationEntry};
use api::user::UpdateMeRequest;
use api::v1::{Competition, RegistrationState, User as Profile};
use integration_tests::{Admin, Startlist, assert_rejected};
use tonic::Code;

/// All pages of this size.
async fn list(
    admin: &Admin,
    race: &Competition,
    states: &[RegistrationState],
    page_size: i32,
) -> Vec<RegistrationEntry> {
    let mut all = Vec::new();
    let mut request = ListRegistrationsRequest {
        competition_id: race.competition_id.clone(),
        states: states.iter().map(|&state| state.into()).collect(),
        page_size,
        page_token: String::new(),
    };
    loop {
        let page = admin.calls().list_registrations(request.clone()).await;
        let page = page.expect("a page").into_inner();
        all.extend(page.entries);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

fn emails(entries: &[RegistrationEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.email.as_str()).collect()
}

#[tokio::test]
async fn they_come_in_the_order_of_revision_with_what_organisers_need() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(2).open().await;
    let ada = app.new_user("ada").await;
    let update = UpdateMeRequest {
        user: Some(Profile {
            club: "Engines".to_owned(),
            country_code: "GB".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    ada.calls().update_me(update).await.expect("updated");
    ada.register(&race).await.expect("a place");
    let ben = app.new_user("ben").await;
    olga.add(&race, &ben).await.expect("added");
    app.new_user("cleo")
        .await
        .register(&race)
        .await
        .expect("a place in the queue");

    let entries = list(&olga, &race, &[], 50).await;
    assert_eq!(
        emails(&entries),
        ["ada@example.org", "ben@example.org", "cleo@example.org"]
    );
    let (first, second) = (&entries[0], &entries[1]);
    assert_eq!(
        (first.display_name.as_str(), first.club.as_str()),
        ("ada", "Engines")
    );
    assert_eq!(
        (first.country_code.as_str(), first.added_by.as_str()),
        ("GB", "")
    );
    assert_eq!(second.added_by, olga.id);
    let last = entries[2].registration.as_ref().expect("a registration");
    assert_eq!(last.waitlist_position, Some(1));
    let revisions: Vec<_> = entries
        .iter()
        .map(|entry| entry.registration.as_ref().expect("one").revision)
        .collect();
    assert!(revisions.is_sorted());
}

#[tokio::test]
async fn pages_hold_all_once_and_only_the_states_that_are_named() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(3).open().await;
    let mut users = Vec::new();
    for name in ["ada", "ben", "cleo", "dora", "emma", "fay"] {
        let user = app.new_user(name).await;
        user.register(&race).await.expect("in or waiting");
        users.push(user);
    }
    users[0].withdraw(&race).await.expect("out");
    olga.remove(&race, &users[1]).await.expect("removed");

    // dora and emma were promoted: their revision is the newer one.
    assert_eq!(
        emails(&list(&olga, &race, &[], 1).await),
        [
            "cleo@example.org",
            "fay@example.org",
            "dora@example.org",
            "emma@example.org"
        ]
    );
    for (states, expected) in [
        (
            [RegistrationState::Waitlisted].as_slice(),
            ["fay@example.org"].as_slice(),
        ),
        (
            &[RegistrationState::Withdrawn, RegistrationState::Removed],
            &["ada@example.org", "ben@example.org"],
        ),
    ] {
        assert_eq!(emails(&list(&olga, &race, states, 1).await), expected);
    }
}

#[tokio::test]
async fn what_is_not_there_or_no_state_is_refused() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let request = ListRegistrationsRequest {
        competition_id: "no-such-race".to_owned(),
        ..Default::default()
    };
    let answer = viewer.calls().list_registrations(request).await;
    assert_rejected(answer, Code::NotFound, "COMPETITION_NOT_FOUND");
    let race = app.competition().open().await;
    let request = ListRegistrationsRequest {
        competition_id: race.competition_id,
        states: vec![0],
        ..Default::default()
    };
    let answer = viewer.calls().list_registrations(request).await;
    let refusal = assert_rejected(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.wrong_fields(), ["states"]);
}
