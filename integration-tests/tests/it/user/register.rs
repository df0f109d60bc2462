use api::user::RegisterRequest;
use api::v1::{Competition, Registration, RegistrationState};
use integration_tests::{Startlist, User, assert_rejected, reason};
use tonic::Status;

/// The reply that registering would get, without registering.
async fn validate(user: &User, race: &Competition) -> Result<Registration, Status> {
    let request = RegisterRequest {
        competition_id: race.competition_id.clone(),
        validate_only: true,
        ..Default::default()
    };
    let reply = user.calls().register(request).await?.into_inner();
    Ok(reply.registration.expect("a registration"))
}

#[tokio::test]
async fn a_user_is_confirmed_while_the_competition_is_not_full() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().capacity(1).open().await;
    let registration = ada.register(&race).await.expect("confirmed");
    assert_eq!(registration.state(), RegistrationState::Confirmed);
    assert_eq!(registration.competition_id, race.competition_id);
    assert_eq!(registration.user_id, ada.id);
    assert_eq!(registration.revision, race.revision + 1);
    assert_eq!(registration.waitlist_position, None);
    assert!(registration.created_at.is_some());
    let read = ada.registration(&race).await.expect("a registration");
    assert_eq!(read, registration);
}

#[tokio::test]
async fn a_full_competition_puts_the_next_users_on_the_waitlist() {
    let app = Startlist::start().await;
    let race = app.competition().capacity(1).open().await;
    app.registered(&race, ["ada"]).await;
    for (name, position) in [("ben", 1), ("cleo", 2)] {
        let user = app.new_user(name).await;
        let waiting = user.register(&race).await.expect("on the waitlist");
        assert_eq!(waiting.state(), RegistrationState::Waitlisted);
        assert_eq!(waiting.waitlist_position, Some(position));
    }
}

#[tokio::test]
async fn a_refusal_for_a_full_waitlist_has_all_counts_and_the_revision() {
    let app = Startlist::start().await;
    let race = app
        .competition()
        .capacity(1)
        .waitlist_capacity(1)
        .open()
        .await;
    app.registered(&race, ["ada", "ben"]).await;
    let cleo = app.new_user("cleo").await;
    let refusal = assert_rejected(cleo.register(&race).await, reason::COMPETITION_FULL);
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
async fn a_refusal_before_the_window_opens_names_the_opening() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().not_open_yet().open().await;
    let refusal = assert_rejected(ada.register(&race).await, reason::REGISTRATION_NOT_OPEN_YET);
    let opens_at = race.registration_opens_at.expect("a moment").to_string();
    assert_eq!(refusal.fact("registration_opens_at"), opens_at);
}

#[tokio::test]
async fn a_closed_or_cancelled_competition_and_a_draft_accept_no_registration() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let closed = app.competition().closed().open().await;
    assert_rejected(ada.register(&closed).await, reason::REGISTRATION_CLOSED);

    let cancelled = app.competition().open().await;
    let olga = app.organiser().await;
    olga.cancel(&cancelled).await.expect("cancelled");
    assert_rejected(
        ada.register(&cancelled).await,
        reason::COMPETITION_CANCELLED,
    );

    let draft = app.competition().draft().await;
    assert_rejected(ada.register(&draft).await, reason::COMPETITION_NOT_FOUND);
}

#[tokio::test]
async fn a_user_who_is_registered_or_was_removed_cannot_register() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    let [ada] = app.registered(&race, ["ada"]).await;
    let refusal = assert_rejected(ada.register(&race).await, reason::ALREADY_REGISTERED);
    assert_eq!(refusal.fact("user_id"), ada.id);

    let olga = app.organiser().await;
    olga.remove(&race, &ada).await.expect("removed");
    assert_rejected(ada.register(&race).await, reason::REMOVED_BY_ORGANISER);
}

#[tokio::test]
async fn validate_only_replies_as_the_call_would_and_changes_nothing() {
    let app = Startlist::start().await;
    let race = app
        .competition()
        .capacity(1)
        .waitlist_capacity(1)
        .open()
        .await;
    let viewer = app.viewer().await;
    for name in ["ada", "ben"] {
        let user = app.new_user(name).await;
        let before = viewer.competition(&race).await;
        let preview = validate(&user, &race).await.expect("it would succeed");
        assert_eq!(viewer.competition(&race).await, before);
        assert_rejected(user.registration(&race).await, reason::NOT_REGISTERED);

        let done = user.register(&race).await.expect("it succeeds");
        assert_eq!(preview.state, done.state);
        assert_eq!(preview.waitlist_position, done.waitlist_position);
    }
    let cleo = app.new_user("cleo").await;
    assert_rejected(validate(&cleo, &race).await, reason::COMPETITION_FULL);
}
