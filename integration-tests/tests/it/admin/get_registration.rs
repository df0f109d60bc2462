use api::admin::{GetRegistrationRequest, RegistrationEntry};
use api::v1::{Competition, RegistrationState};
use integration_tests::{Admin, Startlist, User, assert_rejected};
use tonic::{Code, Status};

async fn get(admin: &Admin, race: &Competition, user: &User) -> Result<RegistrationEntry, Status> {
    let request = GetRegistrationRequest {
        competition_id: race.competition_id.clone(),
        user_id: user.id.clone(),
    };
    let answer = admin.calls().get_registration(request).await?.into_inner();
    Ok(answer.entry.expect("an entry"))
}

#[tokio::test]
async fn an_entry_is_found_also_when_it_is_over() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    let registered = ada.register(&race).await.expect("a place");
    let entry = get(&viewer, &race, &ada).await.expect("an entry");
    assert_eq!(
        (entry.registration, entry.email),
        (Some(registered), ada.email.clone())
    );

    let withdrawn = ada.withdraw(&race).await.expect("out");
    let entry = get(&viewer, &race, &ada).await.expect("an entry");
    assert_eq!(withdrawn.state(), RegistrationState::Withdrawn);
    assert_eq!(entry.registration, Some(withdrawn));
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let app = Startlist::start().await;
    let viewer = app.viewer().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    let refusal = assert_rejected(
        get(&viewer, &race, &ada).await,
        Code::NotFound,
        "NOT_REGISTERED",
    );
    assert_eq!(refusal.fact("user_id"), ada.id);
    let nowhere = Competition {
        competition_id: "no-such-race".to_owned(),
        ..race
    };
    assert_rejected(
        get(&viewer, &nowhere, &ada).await,
        Code::NotFound,
        "COMPETITION_NOT_FOUND",
    );
}
