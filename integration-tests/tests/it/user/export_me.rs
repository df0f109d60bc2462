use api::user::{
    AccountAction, AccountLogEntry, ExportMeRequest, ExportMeResponse, UpdateMeRequest,
};
use api::v1::{RegistrationState, User as Profile};
use integration_tests::{Startlist, User};

async fn export(user: &User) -> ExportMeResponse {
    let answer = user.calls().export_me(ExportMeRequest {}).await;
    answer.expect("an export").into_inner()
}

#[tokio::test]
async fn everything_that_is_held_about_the_caller_is_in_it() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let kept = app.competition().title("kept").open().await;
    let left = app.competition().title("left").open().await;
    ada.register(&kept).await.expect("a place");
    ada.register(&left).await.expect("a place");
    ada.withdraw(&left).await.expect("out");
    let update = UpdateMeRequest {
        user: Some(Profile {
            club: "Engines".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    ada.calls().update_me(update).await.expect("updated");

    let export = export(&ada).await;
    let user = export.user.expect("a user");
    assert_eq!(
        (user.user_id, user.club),
        (ada.id.clone(), "Engines".to_owned())
    );
    assert_eq!(export.sessions.len(), 1);

    let mut found: Vec<_> = export
        .registrations
        .into_iter()
        .map(|one| {
            let state = one.registration.expect("a registration").state();
            (one.competition.expect("its competition").title, state)
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            ("kept".to_owned(), RegistrationState::Confirmed),
            ("left".to_owned(), RegistrationState::Withdrawn),
        ]
    );

    let actions: Vec<_> = export
        .account_log
        .iter()
        .map(AccountLogEntry::action)
        .collect();
    assert_eq!(actions, [AccountAction::SignedUp, AccountAction::Updated]);
}

#[tokio::test]
async fn it_holds_more_registrations_than_one_page() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    ada.register(&race).await.expect("a place");
    // A page of the store holds 200.
    for _ in 0..200 {
        ada.register(&app.competition().open().await)
            .await
            .expect("a place");
    }
    assert_eq!(export(&ada).await.registrations.len(), 201);
}
