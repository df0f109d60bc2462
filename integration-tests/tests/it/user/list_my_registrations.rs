use api::user::{ListMyRegistrationsRequest, MyRegistration};
use api::v1::RegistrationState;
use integration_tests::{Startlist, User, assert_rejected};
use tonic::Code;

/// All pages of this size.
async fn list(user: &User, page_size: i32) -> Vec<MyRegistration> {
    let mut all = Vec::new();
    let mut request = ListMyRegistrationsRequest {
        page_size,
        ..Default::default()
    };
    loop {
        let page = user.calls().list_my_registrations(request.clone()).await;
        let page = page.expect("a page").into_inner();
        assert!(page.registrations.len() <= usize::try_from(page_size).expect("a size"));
        all.extend(page.registrations);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn each_comes_with_its_competition_and_pages_hold_all_once() {
    let app = Startlist::start().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    let mut expected = Vec::new();
    for _ in 0..5 {
        let race = app.competition().open().await;
        ada.register(&race).await.expect("a place");
        expected.push(race.competition_id);
    }
    let others = app.competition().open().await;
    ben.register(&others).await.expect("a place");
    expected.sort();

    let listed = list(&ada, 2).await;
    let ids: Vec<_> = listed
        .iter()
        .map(|one| {
            let registration = one.registration.as_ref().expect("a registration");
            let competition = one.competition.as_ref().expect("its competition");
            assert_eq!(registration.competition_id, competition.competition_id);
            assert_eq!(registration.user_id, ada.id);
            competition.competition_id.clone()
        })
        .collect();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn what_one_left_or_was_removed_from_is_listed_too() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let (left, removed) = (
        app.competition().open().await,
        app.competition().open().await,
    );
    let added = app.competition().not_open_yet().open().await;
    for race in [&left, &removed] {
        ada.register(race).await.expect("a place");
    }
    let olga = app.organiser().await;
    ada.withdraw(&left).await.expect("out");
    olga.remove(&removed, &ada).await.expect("removed");
    let by_hand = olga
        .add_with(&added, &ada, |request| request.ignore_window = true)
        .await;
    by_hand.expect("added");

    let mut states: Vec<_> = list(&ada, 50)
        .await
        .into_iter()
        .map(|one| one.registration.expect("a registration").state())
        .collect();
    states.sort();
    assert_eq!(
        states,
        [
            RegistrationState::Confirmed,
            RegistrationState::Withdrawn,
            RegistrationState::Removed
        ]
    );
}

#[tokio::test]
async fn a_page_token_is_good_for_its_owner_only_and_for_this_list_only() {
    let app = Startlist::start().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    for _ in 0..2 {
        ada.register(&app.competition().open().await)
            .await
            .expect("a place");
    }
    let request = ListMyRegistrationsRequest {
        page_size: 1,
        ..Default::default()
    };
    let page = ada
        .calls()
        .list_my_registrations(request)
        .await
        .expect("a page");
    let page_token = page.into_inner().next_page_token;
    let request = ListMyRegistrationsRequest {
        page_token,
        ..Default::default()
    };
    let answer = ben.calls().list_my_registrations(request).await;
    let refusal = assert_rejected(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.wrong_fields(), ["page_token"]);
}
