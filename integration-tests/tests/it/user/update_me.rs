use api::user::UpdateMeRequest;
use api::v1::{Date, User as Profile};
use domain::RequestId;
use integration_tests::{Startlist, assert_rejected, reason};
use prost_types::Timestamp;

#[tokio::test]
async fn the_mask_decides_which_fields_change() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let profile = Profile {
        display_name: "Ada L.".to_owned(),
        club: "Engines".to_owned(),
        country_code: "GB".to_owned(),
        ..Default::default()
    };
    let updated = ada.update(profile, &["club", "country_code"]).await;
    let updated = updated.expect("updated");
    assert_eq!(updated.display_name, "ada");
    assert_eq!(
        (updated.club.as_str(), updated.country_code.as_str()),
        ("Engines", "GB")
    );
    assert_ne!(updated.updated_at, updated.created_at);
    assert_eq!(ada.me().await.expect("signed in"), updated);

    let born = Profile {
        birth_date: Some(Date {
            year: 1985,
            month: 2,
            day: 28,
        }),
        ..Default::default()
    };
    let without_mask = ada.update(born.clone(), &[]).await.expect("updated");
    assert_eq!(without_mask.birth_date, born.birth_date);
    assert_eq!(
        without_mask.club, "Engines",
        "a field that is not set stays"
    );
    let emptied = ada.update(Profile::default(), &["birth_date"]).await;
    assert_eq!(emptied.expect("updated").birth_date, None);
}

#[tokio::test]
async fn an_old_etag_is_refused_and_changes_nothing() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let with_club = |club: &str, etag: &str| Profile {
        club: club.to_owned(),
        etag: etag.to_owned(),
        ..Default::default()
    };
    let first = ada.update(with_club("one", ""), &["club"]).await;
    let first = first.expect("updated without an etag");
    let second = ada.update(with_club("two", &first.etag), &["club"]).await;
    let second = second.expect("updated with the current etag");
    assert_ne!(second.etag, first.etag);

    let third = ada.update(with_club("three", &first.etag), &["club"]).await;
    assert_rejected(third, reason::ETAG_MISMATCH);
    assert_eq!(ada.me().await.expect("signed in").club, "two");
}

#[tokio::test]
async fn a_user_who_changes_what_was_read_and_sends_all_of_it_is_updated() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    for (club, mask) in [("one", &[][..]), ("two", &["*"]), ("three", &["club"])] {
        let read = ada.me().await.expect("signed in");
        let changed = Profile {
            club: club.to_owned(),
            ..read
        };
        let updated = ada.update(changed, mask).await.expect("updated");
        assert_eq!(updated.club, club);
    }
    let read = ada.me().await.expect("signed in");
    let request = UpdateMeRequest {
        user: Some(Profile {
            club: "four".to_owned(),
            ..read
        }),
        request_id: RequestId::random().to_string(),
        ..Default::default()
    };
    let first = ada.calls().update_me(request.clone()).await;
    let repeated = ada.calls().update_me(request).await;
    assert_eq!(
        repeated.expect("a repetition").into_inner(),
        first.expect("updated").into_inner()
    );
}

#[tokio::test]
async fn each_field_that_differs_and_cannot_be_changed_is_named() {
    let app = Startlist::start().await;
    let [ada, ben] = app.users(["ada", "ben"]).await;
    let read = ada.me().await.expect("signed in");
    let forged = Profile {
        user_id: ben.id.clone(),
        email: "someone@example.org".to_owned(),
        club: "Engines".to_owned(),
        created_at: read.updated_at.map(|at| Timestamp { nanos: -1, ..at }),
        updated_at: Some(Timestamp::default()),
        ..Default::default()
    };
    let all = [
        "user.user_id",
        "user.email",
        "user.created_at",
        "user.updated_at",
    ];
    for mask in [&[][..], &["*"]] {
        let forged = Profile {
            display_name: "Ada".to_owned(),
            ..forged.clone()
        };
        let refusal = assert_rejected(ada.update(forged, mask).await, reason::INVALID_FIELDS);
        assert_eq!(refusal.wrong_fields(), all);
    }
    for email in ["no address", "Ada@example.org"] {
        let only_email = Profile {
            email: email.to_owned(),
            ..Default::default()
        };
        let refusal = assert_rejected(ada.update(only_email, &[]).await, reason::INVALID_FIELDS);
        assert_eq!(refusal.wrong_fields(), ["user.email"]);
    }
    assert_eq!(ada.me().await.expect("signed in"), read);

    let updated = ada.update(forged, &["club"]).await;
    let updated = updated.expect("a field outside of the mask is ignored");
    assert_eq!(
        (updated.email, updated.club.as_str()),
        (read.email, "Engines")
    );
}
