use api::admin::UpdateCompetitionRequest;
use api::v1::{Competition, RegistrationState};
use integration_tests::{DAY, Startlist, assert_rejected, from_now};
use tonic::Code;

#[tokio::test]
async fn only_what_the_mask_names_changes() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(10).open().await;
    let wanted = Competition {
        title: "Night Run".to_owned(),
        venue: "ignored".to_owned(),
        capacity: None,
        ..race.clone()
    };
    let updated = olga
        .update(wanted, &["title", "capacity"])
        .await
        .expect("updated");
    assert_eq!(
        (updated.title.as_str(), updated.venue.as_str()),
        ("Night Run", "")
    );
    assert_eq!(
        updated.capacity, None,
        "named and absent = no limit any more"
    );
    assert_eq!(updated.revision, race.revision + 1);
    assert_ne!(updated.etag, race.etag);
    assert_eq!(olga.competition(&race).await, updated);
}

#[tokio::test]
async fn without_a_mask_what_is_set_changes() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    let only_title = Competition {
        competition_id: race.competition_id.clone(),
        title: "Night Run".to_owned(),
        ..Default::default()
    };
    let updated = olga.update(only_title, &[]).await.expect("updated");
    assert_eq!(updated.title, "Night Run");
    assert_eq!(updated.starts_at, race.starts_at);
}

#[tokio::test]
async fn an_old_etag_is_refused_and_registrations_do_not_change_it() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    app.new_user("ada")
        .await
        .register(&race)
        .await
        .expect("a place");
    let with_etag = |title: &str, etag: &str| UpdateCompetitionRequest {
        competition: Some(Competition {
            title: title.to_owned(),
            etag: etag.to_owned(),
            ..race.clone()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["title".to_owned()],
        }),
        request_id: String::new(),
    };
    let answer = olga
        .calls()
        .update_competition(with_etag("one", &race.etag))
        .await;
    answer.expect("a registration leaves the etag as it is");
    let answer = olga
        .calls()
        .update_competition(with_etag("two", &race.etag))
        .await;
    let refusal = assert_rejected(answer, Code::Aborted, "ETAG_MISMATCH");
    assert_eq!(refusal.fact("competition_id"), race.competition_id);
    assert_eq!(olga.competition(&race).await.title, "one");
}

#[tokio::test]
async fn a_larger_capacity_goes_to_the_first_in_the_queue() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(1).open().await;
    let mut users = Vec::new();
    for name in ["ada", "ben", "cleo", "dora"] {
        let user = app.new_user(name).await;
        user.register(&race).await.expect("in or waiting");
        users.push(user);
    }
    let updated = olga
        .update(
            Competition {
                capacity: Some(3),
                ..race.clone()
            },
            &["capacity"],
        )
        .await;
    let updated = updated.expect("updated");
    assert_eq!((updated.confirmed_count, updated.waitlisted_count), (3, 1));
    assert_eq!(
        updated.revision,
        race.revision + 4 + 1 + 2,
        "two promotions, each a revision"
    );
    for (user, state) in users.iter().zip([
        RegistrationState::Confirmed,
        RegistrationState::Confirmed,
        RegistrationState::Confirmed,
        RegistrationState::Waitlisted,
    ]) {
        assert_eq!(
            user.registration(&race)
                .await
                .expect("a registration")
                .state(),
            state
        );
    }
}

#[tokio::test]
async fn a_capacity_below_those_who_are_in_is_refused_with_both_numbers() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(3).open().await;
    for name in ["ada", "ben"] {
        app.new_user(name)
            .await
            .register(&race)
            .await
            .expect("a place");
    }
    let answer = olga
        .update(
            Competition {
                capacity: Some(1),
                ..race.clone()
            },
            &["capacity"],
        )
        .await;
    let refusal = assert_rejected(answer, Code::FailedPrecondition, "CAPACITY_BELOW_CONFIRMED");
    assert_eq!(
        (refusal.fact("capacity"), refusal.fact("confirmed_count")),
        ("1", "2")
    );
    olga.update(
        Competition {
            capacity: Some(2),
            ..race
        },
        &["capacity"],
    )
    .await
    .expect("it fits");
}

#[tokio::test]
async fn a_waitlist_that_shrinks_keeps_those_who_wait() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(1).open().await;
    for name in ["ada", "ben", "cleo"] {
        app.new_user(name)
            .await
            .register(&race)
            .await
            .expect("in or waiting");
    }
    let smaller = Competition {
        waitlist_capacity: Some(1),
        ..race.clone()
    };
    let updated = olga
        .update(smaller, &["waitlist_capacity"])
        .await
        .expect("updated");
    assert_eq!(updated.waitlisted_count, 2);
    let dora = app.new_user("dora").await;
    assert_rejected(
        dora.register(&race).await,
        Code::FailedPrecondition,
        "COMPETITION_FULL",
    );
}

#[tokio::test]
async fn moments_that_do_not_fit_those_that_stay_are_refused() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    let too_early = Competition {
        ends_at: Some(from_now(DAY)),
        ..race
    };
    let answer = olga.update(too_early, &["ends_at"]).await;
    let refusal = assert_rejected(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.wrong_fields(), ["competition.ends_at"]);
}

#[tokio::test]
async fn what_is_cancelled_or_not_there_cannot_change() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let mut race = app.competition().open().await;
    olga.cancel(&race).await.expect("cancelled");
    race.title = "Night Run".to_owned();
    let answer = olga.update(race.clone(), &["title"]).await;
    assert_rejected(answer, Code::FailedPrecondition, "COMPETITION_CANCELLED");
    let nowhere = Competition {
        competition_id: "no-such-race".to_owned(),
        ..race
    };
    assert_rejected(
        olga.update(nowhere, &["title"]).await,
        Code::NotFound,
        "COMPETITION_NOT_FOUND",
    );
}
