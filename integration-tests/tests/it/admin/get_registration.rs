use api::admin::{GetRegistrationRequest, RegistrationEntry};
use api::v1::{Competition, RegistrationState};
use integration_tests::{Admin, Startlist, User, assert_rejected, reason};
use tonic::Status;

async fn get(admin: &Admin, race: &Competition, user: &User) -> Result<RegistrationEntry, Status> {
    let request = GetRegistrationRequest {
        competition_id: race.competition_id.clone(),
        user_id: user.id.clone(),
    };
    let reply = admin.calls().get_registration(request).await?.into_inner();
    Ok(reply.entry.expect("an entry"))
}

#[tokio::test]
async fn an_entry_is_found_even_after_the_withdrawal() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    let registered = ada.register(&race).await.expect("confirmed");
    let entry = get(&viewer, &race, &ada).await.expect("an entry");
    assert_eq!(entry.registration, Some(registered));
    assert_eq!(entry.email, ada.email);

    let withdrawn = ada.withdraw(&race).await.expect("withdrawn");
    assert_eq!(withdrawn.state(), RegistrationState::Withdrawn);
    let entry = get(&viewer, &race, &ada).await.expect("an entry");
    assert_eq!(entry.registration, Some(withdrawn));
}

#[tokio::test]
async fn an_absent_registration_or_competition_is_not_found() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    let refusal = assert_rejected(get(&viewer, &race, &ada).await, reason::NOT_REGISTERED);
    assert_eq!(refusal.fact("user_id"), ada.id);
    let absent = Competition {
        competition_id: "no-such-race".to_owned(),
        ..race
    };
    let reply = get(&viewer, &absent, &ada).await;
    assert_rejected(reply, reason::COMPETITION_NOT_FOUND);
}
