use api::admin::{ListRegistrationsRequest, RegistrationEntry};
use api::v1::{Competition, RegistrationState, User as Profile};
use integration_tests::{Admin, Startlist, all_pages, assert_rejected, reason};

/// All pages of one entry.
async fn list(
    admin: &Admin,
    race: &Competition,
    states: &[RegistrationState],
) -> Vec<RegistrationEntry> {
    all_pages(async |page_token| {
        let request = ListRegistrationsRequest {
            competition_id: race.competition_id.clone(),
            states: states.iter().map(|&state| state.into()).collect(),
            page_size: 1,
            page_token,
        };
        let page = admin.calls().list_registrations(request).await;
        let page = page.expect("a page").into_inner();
        (page.entries, page.next_page_token)
    })
    .await
}

fn names(entries: &[RegistrationEntry]) -> Vec<&str> {
    let emails = entries.iter().map(|entry| entry.email.as_str());
    emails
        .map(|email| email.trim_end_matches("@example.org"))
        .collect()
}

#[tokio::test]
async fn entries_have_what_organisers_need() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(2).open().await;
    let [ada, ben] = app.users(["ada", "ben"]).await;
    let profile = Profile {
        club: "Engines".to_owned(),
        country_code: "GB".to_owned(),
        ..Default::default()
    };
    ada.update(profile, &[]).await.expect("updated");
    ada.register(&race).await.expect("confirmed");
    olga.add(&race, &ben).await.expect("added");
    app.registered(&race, ["cleo"]).await;

    let entries = list(&olga, &race, &[]).await;
    assert_eq!(names(&entries), ["ada", "ben", "cleo"]);
    let first = &entries[0];
    assert_eq!(
        (first.display_name.as_str(), first.club.as_str()),
        ("ada", "Engines")
    );
    assert_eq!(
        (first.country_code.as_str(), first.added_by.as_str()),
        ("GB", "")
    );
    assert_eq!(entries[1].added_by, olga.id);
    let last = entries[2].registration.as_ref().expect("a registration");
    assert_eq!(last.waitlist_position, Some(1));
}

#[tokio::test]
async fn entries_are_ordered_by_revision_and_can_be_narrowed_by_state() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(3).open().await;
    let all = ["ada", "ben", "cleo", "dora", "emma", "fay"];
    let users = app.registered(&race, all).await;
    users[0].withdraw(&race).await.expect("withdrawn");
    olga.remove(&race, &users[1]).await.expect("removed");

    // Dora and Emma were promoted, so their revision is newer than Fay's.
    let current = list(&olga, &race, &[]).await;
    assert_eq!(names(&current), ["cleo", "fay", "dora", "emma"]);
    let waiting = list(&olga, &race, &[RegistrationState::Waitlisted]).await;
    assert_eq!(names(&waiting), ["fay"]);
    let ended = [RegistrationState::Withdrawn, RegistrationState::Removed];
    let ended = list(&olga, &race, &ended).await;
    assert_eq!(names(&ended), ["ada", "ben"]);
}

#[tokio::test]
async fn the_list_of_an_absent_competition_is_not_found() {
    let app = Startlist::start().await;
    let request = ListRegistrationsRequest {
        competition_id: "no-such-race".to_owned(),
        ..Default::default()
    };
    let reply = app.viewer().await.calls().list_registrations(request).await;
    assert_rejected(reply, reason::COMPETITION_NOT_FOUND);
}
