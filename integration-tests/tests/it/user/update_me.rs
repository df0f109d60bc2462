use api::v1::{Date, User as Profile};
use integration_tests::{Startlist, assert_rejected, reason};

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
