use api::user::{ListMyRegistrationsRequest, MyRegistration};
use api::v1::RegistrationState;
use integration_tests::{Startlist, User, all_pages, assert_rejected, reason};

/// All pages of two items.
async fn list(user: &User) -> Vec<MyRegistration> {
    all_pages(async |page_token| {
        let request = ListMyRegistrationsRequest {
            page_size: 2,
            page_token,
        };
        let page = user.calls().list_my_registrations(request).await;
        let page = page.expect("a page").into_inner();
        assert!(page.registrations.len() <= 2);
        (page.registrations, page.next_page_token)
    })
    .await
}

#[tokio::test]
async fn registrations_in_every_state_are_listed_with_their_competitions() {
    let app = Startlist::start().await;
    let [ada, ben] = app.users(["ada", "ben"]).await;
    let mut races = Vec::new();
    for _ in 0..3 {
        let race = app.competition().open().await;
        ada.register(&race).await.expect("confirmed");
        races.push(race);
    }
    ben.register(&app.competition().open().await)
        .await
        .expect("confirmed");
    let olga = app.organiser().await;
    ada.withdraw(&races[0]).await.expect("withdrawn");
    olga.remove(&races[1], &ada).await.expect("removed");
    races.push(app.competition().not_open_yet().open().await);
    let added = olga.add_with(&races[3], &ada, |request| request.ignore_window = true);
    added.await.expect("added");

    let found = list(&ada).await.into_iter().map(|one| {
        let registration = one.registration.expect("a registration");
        let competition = one.competition.expect("a competition");
        assert_eq!(registration.competition_id, competition.competition_id);
        assert_eq!(registration.user_id, ada.id);
        (competition.competition_id, registration.state())
    });
    let found: Vec<_> = found.collect();
    let states = [
        RegistrationState::Withdrawn,
        RegistrationState::Removed,
        RegistrationState::Confirmed,
        RegistrationState::Confirmed,
    ];
    let ids = races.into_iter().map(|race| race.competition_id);
    let mut expected: Vec<_> = ids.zip(states).collect();
    expected.sort();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_page_token_is_valid_only_for_the_user_who_received_it() {
    let app = Startlist::start().await;
    let [ada, ben] = app.users(["ada", "ben"]).await;
    for _ in 0..2 {
        ada.register(&app.competition().open().await)
            .await
            .expect("confirmed");
    }
    let first = ListMyRegistrationsRequest {
        page_size: 1,
        ..Default::default()
    };
    let page = ada.calls().list_my_registrations(first).await;
    let next = ListMyRegistrationsRequest {
        page_token: page.expect("a page").into_inner().next_page_token,
        ..Default::default()
    };
    let reply = ben.calls().list_my_registrations(next).await;
    let refusal = assert_rejected(reply, reason::INVALID_FIELDS);
    assert_eq!(refusal.wrong_fields(), ["page_token"]);
}
