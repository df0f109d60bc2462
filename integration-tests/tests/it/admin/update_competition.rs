use api::admin::UpdateCompetitionRequest;
use api::v1::{Competition, CompetitionState};
use domain::RequestId;
use integration_tests::{DAY, Startlist, assert_rejected, from_now, reason};

#[tokio::test]
async fn the_mask_decides_which_fields_change() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(10).open().await;
    let changed = Competition {
        title: "Night Run".to_owned(),
        venue: "ignored".to_owned(),
        capacity: None,
        ..race.clone()
    };
    let updated = olga.update(changed, &["title", "capacity"]).await;
    let updated = updated.expect("updated");
    assert_eq!(
        (updated.title.as_str(), updated.venue.as_str()),
        ("Night Run", "")
    );
    assert_eq!(
        updated.capacity, None,
        "a field in the mask that is absent is removed"
    );
    assert_eq!(updated.revision, race.revision + 1);
    assert_ne!(updated.etag, race.etag);
    assert_eq!(olga.competition(&race).await, updated);

    let only_title = Competition {
        competition_id: race.competition_id.clone(),
        title: "Dawn Run".to_owned(),
        ..Default::default()
    };
    let updated = olga
        .update(only_title, &[])
        .await
        .expect("updated without a mask");
    assert_eq!(updated.title, "Dawn Run");
    assert_eq!(
        updated.starts_at, race.starts_at,
        "a field that is not set stays"
    );
}

#[tokio::test]
async fn an_old_etag_is_refused_and_registrations_do_not_change_it() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    app.registered(&race, ["ada"]).await;
    let update = async |title: &str, etag: &str| {
        let request = UpdateCompetitionRequest {
            competition: Some(Competition {
                competition_id: race.competition_id.clone(),
                title: title.to_owned(),
                etag: etag.to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
        olga.calls().update_competition(request).await
    };
    update("one", &race.etag)
        .await
        .expect("updated with the current etag");
    let refusal = assert_rejected(update("two", &race.etag).await, reason::ETAG_MISMATCH);
    assert_eq!(refusal.fact("competition_id"), race.competition_id);
    assert_eq!(olga.competition(&race).await.title, "one");
    update("three", "").await.expect("updated without an etag");
}

#[tokio::test]
async fn a_larger_capacity_promotes_the_first_on_the_waitlist() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(1).open().await;
    app.registered(&race, ["ada", "ben", "cleo", "dora"]).await;
    let larger = Competition {
        capacity: Some(3),
        ..race.clone()
    };
    let updated = olga.update(larger, &["capacity"]).await.expect("updated");
    // The reply includes the promotions, which are two more revisions after four registrations.
    assert_eq!((updated.confirmed_count, updated.waitlisted_count), (3, 1));
    assert_eq!(updated.revision, race.revision + 4 + 1 + 2);
}

#[tokio::test]
async fn a_capacity_below_the_confirmed_is_refused_with_both_numbers() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(3).open().await;
    app.registered(&race, ["ada", "ben"]).await;
    let smaller = Competition {
        capacity: Some(1),
        ..race
    };
    let reply = olga.update(smaller, &["capacity"]).await;
    let refusal = assert_rejected(reply, reason::CAPACITY_BELOW_CONFIRMED);
    assert_eq!(refusal.fact("capacity"), "1");
    assert_eq!(refusal.fact("confirmed_count"), "2");
}

#[tokio::test]
async fn a_moment_must_fit_the_moments_that_stay() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    let too_early = Competition {
        ends_at: Some(from_now(DAY)),
        ..race
    };
    let reply = olga.update(too_early, &["ends_at"]).await;
    let refusal = assert_rejected(reply, reason::INVALID_FIELDS);
    assert_eq!(refusal.wrong_fields(), ["competition.ends_at"]);
}

#[tokio::test]
async fn a_cancelled_or_absent_competition_cannot_change() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let mut race = app.competition().open().await;
    olga.cancel(&race).await.expect("cancelled");
    race.title = "Night Run".to_owned();
    let reply = olga.update(race.clone(), &["title"]).await;
    assert_rejected(reply, reason::COMPETITION_CANCELLED);
    let absent = Competition {
        competition_id: "no-such-race".to_owned(),
        ..race
    };
    let reply = olga.update(absent, &["title"]).await;
    assert_rejected(reply, reason::COMPETITION_NOT_FOUND);
}

#[tokio::test]
async fn a_competition_that_is_read_changed_and_sent_whole_is_updated_despite_registrations() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let read = app.competition().open().await;
    app.registered(&read, ["ada", "ben"]).await;
    let request = UpdateCompetitionRequest {
        competition: Some(Competition {
            venue: "Marktplatz".to_owned(),
            ..read
        }),
        request_id: RequestId::random().to_string(),
        ..Default::default()
    };
    let first = olga.calls().update_competition(request.clone()).await;
    let first = first.expect("updated").into_inner();
    let updated = first.competition.clone().expect("a competition");
    assert_eq!(
        (updated.venue.as_str(), updated.confirmed_count),
        ("Marktplatz", 2)
    );
    let repeated = olga.calls().update_competition(request).await;
    assert_eq!(repeated.expect("a repetition").into_inner(), first);
}

#[tokio::test]
async fn each_field_that_differs_and_cannot_be_changed_is_named() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    app.registered(&race, ["ada"]).await;
    let read = olga.competition(&race).await;
    let forged = Competition {
        title: String::new(),
        ends_at: Some(from_now(DAY)),
        state: 42,
        confirmed_count: 2,
        waitlisted_count: -1,
        revision: read.revision + 1,
        created_at: Some(from_now(0)),
        updated_at: Some(from_now(0)),
        ..race.clone()
    };
    let refusal = assert_rejected(olga.update(forged, &[]).await, reason::INVALID_FIELDS);
    let all = [
        "competition.state",
        "competition.confirmed_count",
        "competition.waitlisted_count",
        "competition.revision",
        "competition.created_at",
        "competition.updated_at",
        "competition.ends_at",
    ];
    assert_eq!(refusal.wrong_fields(), all);
    let cancelled = Competition {
        competition_id: race.competition_id.clone(),
        state: CompetitionState::Cancelled.into(),
        ..Default::default()
    };
    let refusal = assert_rejected(olga.update(cancelled, &[]).await, reason::INVALID_FIELDS);
    assert_eq!(refusal.wrong_fields(), ["competition.state"]);
    assert_eq!(olga.competition(&race).await, read);
}
