use api::user::{GetMeRequest, SignUpRequest};
use api::v1::Date;
use integration_tests::{Startlist, assert_rejected, from_now, reason};

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
async fn a_new_user_is_signed_in_and_the_profile_is_stored_unchanged() {
    let app = Startlist::start().await;
    let reply = app.user_service().sign_up(ada()).await;
    let reply = reply.expect("signed up").into_inner();
    let user = reply.user.expect("a user");
    assert_eq!(
        (&user.email, &user.display_name),
        (&ada().email, &ada().display_name)
    );
    assert_eq!(
        (&user.country_code, &user.club),
        (&ada().country_code, &ada().club)
    );
    assert_eq!(user.birth_date, ada().birth_date);
    assert_eq!(user.created_at, user.updated_at);

    assert!(reply.session_token.starts_with("stl_u_"));
    let expires_at = reply.session_expires_at.expect("a moment").seconds;
    let thirty_days = from_now(30 * 24 * 60 * 60).seconds;
    assert!((thirty_days - 5..=thirty_days).contains(&expires_at));
    let mut calls = app.user_service_as(&reply.session_token);
    let me = calls.get_me(GetMeRequest {}).await.expect("signed in");
    assert_eq!(me.into_inner().user, Some(user));
}

#[tokio::test]
async fn an_address_has_one_user_in_any_case_and_may_also_have_an_admin() {
    let app = Startlist::start().await;
    app.user_service().sign_up(ada()).await.expect("signed up");
    let again = SignUpRequest {
        email: "ADA@example.ORG".to_owned(),
        ..ada()
    };
    let reply = app.user_service().sign_up(again).await;
    let refusal = assert_rejected(reply, reason::EMAIL_TAKEN);
    let message = refusal.message.to_lowercase();
    assert!(!message.contains("ada@"), "the sentence names no address");

    let as_owner = SignUpRequest {
        email: app.owner().await.email,
        ..ada()
    };
    let reply = app.user_service().sign_up(as_owner).await;
    reply.expect("users and admins do not share addresses");
}

#[tokio::test]
async fn a_birth_date_in_the_future_is_refused() {
    let app = Startlist::start().await;
    let request = SignUpRequest {
        birth_date: Some(Date {
            year: 2999,
            month: 1,
            day: 1,
        }),
        ..ada()
    };
    let reply = app.user_service().sign_up(request).await;
    let refusal = assert_rejected(reply, reason::INVALID_FIELDS);
    assert_eq!(refusal.wrong_fields(), ["birth_date"]);
}
