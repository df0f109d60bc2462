use api::user::{GetMeRequest, UpdateMeRequest};
use api::v1::{Date, User as Profile};
use integration_tests::{Startlist, User, assert_rejected};
use prost_types::FieldMask;
use tonic::{Code, Status};

async fn update(user: &User, profile: Profile, mask: &[&str]) -> Result<Profile, Status> {
    let request = UpdateMeRequest {
        user: Some(profile),
        update_mask: Some(FieldMask {
            paths: mask.iter().map(|&path| path.to_owned()).collect(),
        }),
        request_id: String::new(),
    };
    let answer = user.calls().update_me(request).await?.into_inner();
    Ok(answer.user.expect("a user"))
}

#[tokio::test]
async fn only_what_the_mask_names_changes() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let wanted = Profile {
        display_name: "Ada L.".to_owned(),
        club: "Engines".to_owned(),
        country_code: "GB".to_owned(),
        ..Default::default()
    };
    let updated = update(&ada, wanted, &["club", "country_code"])
        .await
        .expect("updated");
    assert_eq!(updated.display_name, "ada");
    assert_eq!(
        (updated.club.as_str(), updated.country_code.as_str()),
        ("Engines", "GB")
    );
    assert_ne!(updated.updated_at, updated.created_at);

    let me = ada
        .calls()
        .get_me(GetMeRequest {})
        .await
        .expect("signed in");
    assert_eq!(me.into_inner().user.expect("a user"), updated);
}

#[tokio::test]
async fn a_named_field_that_is_empty_is_emptied() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let born = Profile {
        birth_date: Some(Date {
            year: 1985,
            month: 2,
            day: 28,
        }),
        ..Default::default()
    };
    let updated = update(&ada, born, &[])
        .await
        .expect("what is set is changed");
    assert!(updated.birth_date.is_some());
    let updated = update(&ada, Profile::default(), &["birth_date"])
        .await
        .expect("updated");
    assert_eq!(updated.birth_date, None);
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
    let first = update(&ada, with_club("one", ""), &["club"])
        .await
        .expect("no etag, no question");
    let second = update(&ada, with_club("two", &first.etag), &["club"]).await;
    let second = second.expect("the etag is the newest");
    assert_ne!(second.etag, first.etag);

    let answer = update(&ada, with_club("three", &first.etag), &["club"]).await;
    assert_rejected(answer, Code::Aborted, "ETAG_MISMATCH");
    let me = ada
        .calls()
        .get_me(GetMeRequest {})
        .await
        .expect("signed in");
    assert_eq!(me.into_inner().user.expect("a user").club, "two");
}

#[tokio::test]
async fn what_one_did_not_write_cannot_be_changed() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    for path in ["email", "user_id", "created_at", "no_such_field"] {
        let answer = update(&ada, Profile::default(), &[path]).await;
        let refusal = assert_rejected(answer, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.wrong_fields(), ["update_mask"], "{path}");
    }
}
