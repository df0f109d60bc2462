use api::user::RegisterRequest;
use api::v1::{Competition, Registration, RegistrationState};
use integration_tests::{Startlist, User, assert_rejected};
use tonic::{Code, Status};

/// What registering would answer, without registering.
async fn validate(user: &User, race: &Competition) -> Result<Registration, Status> {
    let request = RegisterRequest {
        competition_id: race.competition_id.clone(),
        validate_only: true,
        ..Default::default()
    };
    let answer = user.calls().register(request).await?.into_inner();
    Ok(answer.registration.expect("a registration"))
}

#[tokio::test]
async fn while_there_is_a_place_one_gets_it() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().capacity(1).open().await;
    let registration = ada.register(&race).await.expect("a place");
    assert_eq!(registration.state(), RegistrationState::Confirmed);
    assert_eq!(registration.competition_id, race.competition_id);
    assert_eq!(registration.user_id, ada.id);
    assert_eq!(registration.revision, race.revision + 1);
    assert_eq!(registration.waitlist_position, None);
    assert!(registration.created_at.is_some());
    assert_eq!(
        ada.registration(&race).await.expect("it is kept"),
        registration
    );
}

#[tokio::test]
async fn a_full_competition_puts_the_next_users_on_the_waitlist() {
    let app = Startlist::start().await;
    let race = app.competition().capacity(1).open().await;
    app.new_user("ada")
        .await
        .register(&race)
        .await
        .expect("a place");
    for (name, position) in [("ben", 1), ("cleo", 2)] {
        let waiting = app
            .new_user(name)
            .await
            .register(&race)
            .await
            .expect("a place in the queue");
        assert_eq!(waiting.state(), RegistrationState::Waitlisted);
        assert_eq!(waiting.waitlist_position, Some(position));
    }
}

#[tokio::test]
async fn with_the_queue_full_too_it_says_how_full() {
    let app = Startlist::start().await;
    let race = app
        .competition()
        .capacity(1)
        .waitlist_capacity(1)
        .open()
        .await;
    for name in ["ada", "ben"] {
        app.new_user(name)
            .await
            .register(&race)
            .await
            .expect("in or waiting");
    }
    let cleo = app.new_user("cleo").await;
    let refusal = assert_rejected(
        cleo.register(&race).await,
        Code::FailedPrecondition,
        "COMPETITION_FULL",
    );
    for (fact, value) in [
        ("competition_id", race.competition_id.as_str()),
        ("capacity", "1"),
        ("confirmed_count", "1"),
        ("waitlisted_count", "1"),
        ("revision", "4"),
    ] {
        assert_eq!(refusal.fact(fact), value, "{fact}");
    }
}

#[tokio::test]
async fn before_the_window_opens_it_says_when_it_does() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().not_open_yet().open().await;
    let answer = ada.register(&race).await;
    let refusal = assert_rejected(
        answer,
        Code::FailedPrecondition,
        "REGISTRATION_NOT_OPEN_YET",
    );
    let opens_at = race.registration_opens_at.expect("a moment").to_string();
    assert_eq!(refusal.fact("registration_opens_at"), opens_at);
}

#[tokio::test]
async fn what_is_closed_cancelled_or_a_draft_takes_nobody() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let closed = app.competition().closed().open().await;
    assert_rejected(
        ada.register(&closed).await,
        Code::FailedPrecondition,
        "REGISTRATION_CLOSED",
    );

    let cancelled = app.competition().open().await;
    app.organiser()
        .await
        .cancel(&cancelled)
        .await
        .expect("cancelled");
    let answer = ada.register(&cancelled).await;
    assert_rejected(answer, Code::FailedPrecondition, "COMPETITION_CANCELLED");

    let draft = app.competition().draft().await;
    assert_rejected(
        ada.register(&draft).await,
        Code::NotFound,
        "COMPETITION_NOT_FOUND",
    );
}

#[tokio::test]
async fn who_is_in_or_waits_cannot_register_again() {
    let app = Startlist::start().await;
    let race = app.competition().capacity(1).open().await;
    for name in ["ada", "ben"] {
        let user = app.new_user(name).await;
        let registered = user.register(&race).await.expect("in or waiting");
        let answer = user.register(&race).await;
        let refusal = assert_rejected(answer, Code::AlreadyExists, "ALREADY_REGISTERED");
        assert_eq!(refusal.fact("user_id"), user.id);
        assert_eq!(
            user.registration(&race).await.expect("unchanged"),
            registered
        );
    }
}

#[tokio::test]
async fn who_was_removed_cannot_come_back_alone() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    ada.register(&race).await.expect("a place");
    app.organiser()
        .await
        .remove(&race, &ada)
        .await
        .expect("removed");
    let answer = ada.register(&race).await;
    assert_rejected(answer, Code::FailedPrecondition, "REMOVED_BY_ORGANISER");
}

#[tokio::test]
async fn validate_only_answers_as_the_call_would_and_changes_nothing() {
    let app = Startlist::start().await;
    let race = app
        .competition()
        .capacity(1)
        .waitlist_capacity(1)
        .open()
        .await;
    let viewer = app.viewer().await;
    for (name, state) in [
        ("ada", RegistrationState::Confirmed),
        ("ben", RegistrationState::Waitlisted),
    ] {
        let user = app.new_user(name).await;
        let before = viewer.competition(&race).await;
        let told = validate(&user, &race).await.expect("it would work");
        assert_eq!(told.state(), state);
        assert_eq!(viewer.competition(&race).await, before);
        assert_rejected(
            user.registration(&race).await,
            Code::NotFound,
            "NOT_REGISTERED",
        );

        let done = user.register(&race).await.expect("it works");
        assert_eq!(
            (told.state, told.waitlist_position),
            (done.state, done.waitlist_position)
        );
    }
    let cleo = app.new_user("cleo").await;
    assert_rejected(
        validate(&cleo, &race).await,
        Code::FailedPrecondition,
        "COMPETITION_FULL",
    );
}
