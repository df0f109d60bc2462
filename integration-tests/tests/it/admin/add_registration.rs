use api::admin::AddRegistrationRequest;
use api::admin::add_registration_request::User as AddedUser;
use api::v1::RegistrationState;
use integration_tests::{Startlist, assert_rejected, reason};

#[tokio::test]
async fn an_organiser_adds_a_user_by_id_or_by_address() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    let [ada, ben] = app.users(["ada", "ben"]).await;
    let added = olga.add(&race, &ada).await.expect("added");
    assert_eq!(added.user_id, ada.id);
    assert_eq!(added.state(), RegistrationState::Confirmed);

    let by_email = |request: &mut AddRegistrationRequest| {
        request.user = Some(AddedUser::Email("BEN@example.org".to_owned()));
    };
    let added = olga.add_with(&race, &ben, by_email).await.expect("added");
    assert_eq!(added.user_id, ben.id);
    assert_eq!(
        ben.registration(&race).await.expect("a registration"),
        added
    );
}

#[tokio::test]
async fn only_over_capacity_adds_a_user_past_the_waitlist() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app
        .competition()
        .capacity(1)
        .waitlist_capacity(2)
        .open()
        .await;
    app.registered(&race, ["ada", "ben"]).await;
    let [cleo, dora, emma] = app.users(["cleo", "dora", "emma"]).await;
    let waiting = olga.add(&race, &cleo).await.expect("added");
    assert_eq!(waiting.waitlist_position, Some(2));
    let over = olga.add_with(&race, &dora, |request| request.over_capacity = true);
    assert_eq!(
        over.await.expect("added").state(),
        RegistrationState::Confirmed
    );
    assert_rejected(olga.add(&race, &emma).await, reason::COMPETITION_FULL);
}

#[tokio::test]
async fn only_ignore_window_adds_a_user_outside_of_the_window() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let ada = app.new_user("ada").await;
    let early = app.competition().not_open_yet().open().await;
    let late = app.competition().closed().open().await;
    for (race, reason) in [
        (early, reason::REGISTRATION_NOT_OPEN_YET),
        (late, reason::REGISTRATION_CLOSED),
    ] {
        assert_rejected(olga.add(&race, &ada).await, reason);
        let added = olga.add_with(&race, &ada, |request| request.ignore_window = true);
        assert_eq!(
            added.await.expect("added").state(),
            RegistrationState::Confirmed
        );
    }
}

#[tokio::test]
async fn a_removed_user_can_be_added_again() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    let first = olga.add(&race, &ada).await.expect("added");
    assert_rejected(olga.add(&race, &ada).await, reason::ALREADY_REGISTERED);
    let removed = olga.remove_because(&race, &ada, "no licence").await;
    removed.expect("removed");
    let again = olga.add(&race, &ada).await.expect("added");
    assert_eq!(again.state(), RegistrationState::Confirmed);
    assert_eq!(again.removal_reason, "");
    assert_eq!(again.created_at, first.created_at);
    assert!(again.revision > first.revision);
}

#[tokio::test]
async fn an_addition_needs_an_existing_user_and_a_published_competition() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    for (user, reason) in [
        (
            Some(AddedUser::UserId("no-such-user".to_owned())),
            reason::USER_NOT_FOUND,
        ),
        (
            Some(AddedUser::Email("nobody@example.org".to_owned())),
            reason::USER_NOT_FOUND,
        ),
        (None, reason::INVALID_FIELDS),
    ] {
        let added = olga.add_with(&race, &ada, |request| request.user = user);
        assert_rejected(added.await, reason);
    }
    let draft = app.competition().draft().await;
    assert_rejected(
        olga.add(&draft, &ada).await,
        reason::COMPETITION_NOT_PUBLISHED,
    );
    olga.cancel(&race).await.expect("cancelled");
    assert_rejected(olga.add(&race, &ada).await, reason::COMPETITION_CANCELLED);
}
