use api::user::{GetMeRequest, SignUpRequest};
use api::v1::Date;
use integration_tests::{Startlist, assert_rejected, from_now};
use tonic::Code;

fn ada() -> SignUpRequest {
    SignUpRequest {
        email: "Ada@Example.org".to_owned(),
        password: "analytical engine".to_owned(),
        display_name: "Ada Lovelace 👩‍🔬".to_owned(),
        country_code: "GB".to_owned(),
        birth_date: Some(Date {
            year: 1915,
            month: 12,
            day: 10,
        }),
        club: "نادي".to_owned(),
        request_id: String::new(),
    }
}

#[tokio::test]
async fn a_new_user_is_signed_in_and_kept_as_written() {
    let app = Startlist::start().await;
    let answer = app
        .user_service()
        .sign_up(ada())
        .await
        .expect("an account")
        .into_inner();

    let user = answer.user.expect("a user");
    assert_eq!(user.email, "Ada@Example.org");
    assert_eq!(user.display_name, "Ada Lovelace 👩‍🔬");
    assert_eq!(
        (user.country_code.as_str(), user.club.as_str()),
        ("GB", "نادي")
    );
    assert_eq!(user.birth_date, ada().birth_date);
    assert_eq!(user.created_at, user.updated_at);
    assert!(answer.session_token.starts_with("stl_u_"));
    let expires_at = answer.session_expires_at.expect("an end").seconds;
    let thirty_days = from_now(30 * 24 * 60 * 60).seconds;
    assert!((thirty_days - 5..=thirty_days).contains(&expires_at));

    let me = app
        .user_service_as(&answer.session_token)
        .get_me(GetMeRequest {})
        .await;
    assert_eq!(
        me.expect("signed in")
            .into_inner()
            .user
            .expect("a user")
            .user_id,
        user.user_id
    );
}

#[tokio::test]
async fn an_address_has_one_account_whatever_its_case() {
    let app = Startlist::start().await;
    app.user_service().sign_up(ada()).await.expect("an account");
    let again = SignUpRequest {
        email: "ADA@example.ORG".to_owned(),
        ..ada()
    };
    let refusal = assert_rejected(
        app.user_service().sign_up(again).await,
        Code::AlreadyExists,
        "EMAIL_TAKEN",
    );
    assert!(
        !refusal.message.to_lowercase().contains("ada@"),
        "the sentence names no address"
    );
}

#[tokio::test]
async fn an_address_may_have_a_user_and_an_admin() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let request = SignUpRequest {
        email: owner.email,
        ..ada()
    };
    app.user_service()
        .sign_up(request)
        .await
        .expect("users and admins are two worlds");
}

#[tokio::test]
async fn a_birth_date_in_the_future_is_refused() {
    let app = Startlist::start().await;
    let birth_date = Some(Date {
        year: 2999,
        month: 1,
        day: 1,
    });
    let request = SignUpRequest {
        birth_date,
        ..ada()
    };
    let answer = app.user_service().sign_up(request).await;
    let refusal = assert_rejected(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.wrong_fields(), ["birth_date"]);
}
