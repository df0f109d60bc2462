use api::user::{AccountAction, AccountLogEntry, ExportMeRequest, ExportMeResponse};
use api::v1::{RegistrationState, User as Profile};
use integration_tests::{Startlist, User};

async fn export(user: &User) -> ExportMeResponse {
    let reply = user.calls().export_me(ExportMeRequest {}).await;
    reply.expect("an export").into_inner()
}

#[tokio::test]
async fn the_export_holds_everything_that_is_stored_about_the_caller() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let kept = app.competition().title("kept").open().await;
    let left = app.competition().title("left").open().await;
    ada.register(&kept).await.expect("confirmed");
    ada.register(&left).await.expect("confirmed");
    ada.withdraw(&left).await.expect("withdrawn");
    let profile = Profile {
        club: "Engines".to_owned(),
        ..Default::default()
    };
    ada.update(profile, &[]).await.expect("updated");

    let export = export(&ada).await;
    let user = export.user.expect("a user");
    assert_eq!(
        (user.user_id, user.club.as_str()),
        (ada.id.clone(), "Engines")
    );
    assert_eq!(export.sessions.len(), 1);
    let registrations = export.registrations.into_iter().map(|one| {
        let state = one.registration.expect("a registration").state();
        (one.competition.expect("a competition").title, state)
    });
    let mut registrations: Vec<_> = registrations.collect();
    registrations.sort();
    let expected = [
        ("kept".to_owned(), RegistrationState::Confirmed),
        ("left".to_owned(), RegistrationState::Withdrawn),
    ];
    assert_eq!(registrations, expected);
    let actions = export.account_log.iter().map(AccountLogEntry::action);
    let actions: Vec<_> = actions.collect();
    assert_eq!(actions, [AccountAction::SignedUp, AccountAction::Updated]);
}

#[tokio::test]
async fn the_export_holds_more_registrations_than_one_page_of_the_store() {
    let app = Startlist::with(&["--changes-per-minute", "0"]).await;
    let ada = app.new_user("ada").await;
    // A page of the store holds 200.
    for _ in 0..201 {
        ada.register(&app.competition().open().await)
            .await
            .expect("confirmed");
    }
    assert_eq!(export(&ada).await.registrations.len(), 201);
}
