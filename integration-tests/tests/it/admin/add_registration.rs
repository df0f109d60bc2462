use api::admin::add_registration_request::User as Whom;
use api::v1::RegistrationState;
use integration_tests::{Startlist, assert_rejected};
use tonic::Code;

#[tokio::test]
async fn an_organiser_adds_by_id_or_by_address() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    let added = olga.add(&race, &ada).await.expect("added");
    assert_eq!(
        (added.user_id.as_str(), added.state()),
        (ada.id.as_str(), RegistrationState::Confirmed)
    );
    let by_email = |request: &mut api::admin::AddRegistrationRequest| {
        request.user = Some(Whom::Email("BEN@example.org".to_owned()));
    };
    let added = olga.add_with(&race, &ben, by_email).await.expect("added");
    assert_eq!(added.user_id, ben.id);
    assert_eq!(
        ben.registration(&race).await.expect("a registration"),
        added
    );
}

#[tokio::test]
async fn over_capacity_passes_the_queue_and_without_it_one_waits() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(1).open().await;
    app.new_user("ada")
        .await
        .register(&race)
        .await
        .expect("a place");
    app.new_user("ben")
        .await
        .register(&race)
        .await
        .expect("a place in the queue");
    let (cleo, dora) = (app.new_user("cleo").await, app.new_user("dora").await);
    let waiting = olga.add(&race, &cleo).await.expect("added");
    assert_eq!(waiting.waitlist_position, Some(2));
    let over = olga
        .add_with(&race, &dora, |request| request.over_capacity = true)
        .await;
    assert_eq!(over.expect("added").state(), RegistrationState::Confirmed);
    let now = olga.competition(&race).await;
    assert_eq!((now.confirmed_count, now.waitlisted_count), (2, 2));
}

#[tokio::test]
async fn outside_of_the_window_it_has_to_be_said() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let ada = app.new_user("ada").await;
    let early = app.competition().not_open_yet().open().await;
    let late = app.competition().closed().open().await;
    for (race, reason) in [
        (early, "REGISTRATION_NOT_OPEN_YET"),
        (late, "REGISTRATION_CLOSED"),
    ] {
        assert_rejected(
            olga.add(&race, &ada).await,
            Code::FailedPrecondition,
            reason,
        );
        let added = olga
            .add_with(&race, &ada, |request| request.ignore_window = true)
            .await;
        assert_eq!(added.expect("added").state(), RegistrationState::Confirmed);
    }
}

#[tokio::test]
async fn who_was_removed_can_be_added_again() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    let first = olga.add(&race, &ada).await.expect("added");
    assert_rejected(
        olga.add(&race, &ada).await,
        Code::AlreadyExists,
        "ALREADY_REGISTERED",
    );
    olga.remove_because(&race, &ada, "no licence")
        .await
        .expect("removed");
    let again = olga.add(&race, &ada).await.expect("added");
    assert_eq!(
        (again.state(), again.removal_reason.as_str()),
        (RegistrationState::Confirmed, "")
    );
    assert_eq!(again.created_at, first.created_at);
    assert!(again.revision > first.revision);
}

#[tokio::test]
async fn nobody_can_be_added_to_nothing() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().no_waitlist().capacity(1).open().await;
    let unknown = olga.add_with(&race, &ada, |request| {
        request.user = Some(Whom::UserId("no-such-user".to_owned()));
    });
    assert_rejected(unknown.await, Code::NotFound, "USER_NOT_FOUND");
    let unknown = olga.add_with(&race, &ada, |request| {
        request.user = Some(Whom::Email("nobody@example.org".to_owned()));
    });
    assert_rejected(unknown.await, Code::NotFound, "USER_NOT_FOUND");
    let nobody = olga
        .add_with(&race, &ada, |request| request.user = None)
        .await;
    let refusal = assert_rejected(nobody, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.wrong_fields(), ["user_id"]);

    let draft = app.competition().draft().await;
    assert_rejected(
        olga.add(&draft, &ada).await,
        Code::FailedPrecondition,
        "COMPETITION_NOT_PUBLISHED",
    );
    let cancelled = app.competition().open().await;
    olga.cancel(&cancelled).await.expect("cancelled");
    assert_rejected(
        olga.add(&cancelled, &ada).await,
        Code::FailedPrecondition,
        "COMPETITION_CANCELLED",
    );
    olga.add(&race, &ada).await.expect("the last place");
    let ben = app.new_user("ben").await;
    assert_rejected(
        olga.add(&race, &ben).await,
        Code::FailedPrecondition,
        "COMPETITION_FULL",
    );
}
