//! What a client reads when something went wrong.

use api::admin::CreateCompetitionRequest;
use api::user::{GetMeRequest, ListCompetitionsRequest};
use api::v1::Competition;
use integration_tests::{Startlist, assert_rejected, from_now};
use testkit::eventually;
use tonic::{Code, Request};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::contract::{ADMIN, Contract, USER};
use crate::raw;

#[tokio::test]
async fn every_wrong_field_is_listed_and_not_only_the_first() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let wrong = CreateCompetitionRequest {
        competition: Some(Competition {
            description: "\u{0}".to_owned(),
            country_code: "XX".to_owned(),
            registration_opens_at: Some(from_now(30)),
            registration_closes_at: Some(from_now(20)),
            starts_at: Some(from_now(10)),
            ends_at: Some(from_now(5)),
            capacity: Some(0),
            waitlist_capacity: Some(-1),
            ..Default::default()
        }),
        competition_id: Some("NO".to_owned()),
        request_id: "7".to_owned(),
    };
    let answer = olga.calls().create_competition(wrong).await;
    let refusal = assert_rejected(answer, Code::InvalidArgument, "INVALID_FIELDS");
    let mut wrong = refusal.wrong_fields();
    wrong.sort_unstable();
    wrong.dedup();
    assert_eq!(
        wrong,
        [
            "competition.capacity",
            "competition.country_code",
            "competition.description",
            "competition.ends_at",
            "competition.registration_closes_at",
            "competition.title",
            "competition.waitlist_capacity",
            "competition_id",
            "request_id",
        ]
    );
    let described = &refusal
        .details
        .bad_request()
        .expect("BadRequest")
        .field_violations;
    assert!(described.iter().all(|wrong| !wrong.description.is_empty()));
}

#[tokio::test]
async fn a_message_above_64_kib_is_refused_and_one_below_is_read() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let ada = app.new_user("ada").await;
    // Field 15 is nobody's: what is not known is skipped.
    let padded = |bytes: usize| {
        let mut message = vec![0x7a];
        prost::encoding::encode_varint(bytes as u64, &mut message);
        message.resize(message.len() + bytes, b'x');
        message
    };
    for rpc in Contract::read().rpcs {
        let (channel, token) = match rpc.service.as_str() {
            ADMIN => (app.admin_channel(), &owner.token),
            _ => (app.user_channel(), &ada.token),
        };
        let answer = raw::call(channel, &rpc.path, Some(token), padded(64 * 1024)).await;
        assert_rejected(answer, Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
    }
    let path = format!("/{USER}/ListCompetitions");
    raw::call(app.user_channel(), &path, None, padded(64 * 1024 - 4))
        .await
        .expect("read");
}

#[tokio::test]
async fn what_the_contract_does_not_have_is_unimplemented() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    for path in [
        format!("/{ADMIN}/DropEverything"),
        // What the other service has.
        format!("/{USER}/SignUp"),
        "/startlist.admin.v2.AdminService/SignIn".to_owned(),
        "/".to_owned(),
    ] {
        let answer = raw::call(app.admin_channel(), &path, Some(&owner.token), Vec::new()).await;
        assert_rejected(answer, Code::Unimplemented, "UNKNOWN_METHOD");
    }
}

#[tokio::test]
async fn a_deadline_that_passes_is_a_deadline_exceeded_that_says_the_outcome() {
    // The server's own, since tonic's client would not wait for the answer. Shorter than Redis's.
    let mut app = Startlist::with(&["--max-deadline", "400ms"]).await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    app.redis.freeze().expect("frozen");
    let answer = ada.register(&race).await;
    let refusal = assert_rejected(answer, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    // The session was still being looked up.
    assert_eq!(refusal.fact("outcome"), "NOT_APPLIED");
    app.redis.thaw().expect("it goes on");
    eventually("calls work", async || {
        ada.calls().get_me(GetMeRequest {}).await.is_ok()
    })
    .await;
    let answer = ada.registration(&race).await;
    assert_rejected(answer, Code::NotFound, "NOT_REGISTERED");
}

#[tokio::test]
async fn an_unreachable_redis_is_unavailable_by_a_fixed_sentence() {
    let mut app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    app.redis.kill();
    let race = Competition {
        competition_id: "city-run".to_owned(),
        ..Default::default()
    };
    let refusal = assert_rejected(
        ada.register(&race).await,
        Code::Unavailable,
        "STORE_UNAVAILABLE",
    );
    assert_eq!(refusal.fact("outcome"), "NOT_APPLIED");
    let retry = refusal.details.retry_info().expect("RetryInfo");
    assert!(retry.retry_delay.is_some());
    let told = format!("{} {:?}", refusal.message, refusal.metadata);
    for detail in [
        "127.0.0.1",
        &app.redis.address().port().to_string(),
        "refused",
        "redis",
    ] {
        assert!(!told.to_lowercase().contains(detail), "{told}");
    }
}

#[tokio::test]
async fn the_id_of_a_call_is_taken_or_made_and_answered() {
    let app = Startlist::start().await;
    let path = format!("/{USER}/ListCompetitions");
    let call = async |id: Option<&str>, message: Vec<u8>| {
        let mut request = Request::new(message);
        if let Some(id) = id {
            request
                .metadata_mut()
                .insert("x-request-id", id.parse().expect("a value"));
        }
        raw::send(app.user_channel(), &path, request).await
    };
    let answered = call(Some("my-call.1"), Vec::new()).await.expect("a list");
    assert_eq!(
        answered.metadata().get("x-request-id").expect("an id"),
        "my-call.1"
    );

    for odd in [None, Some("two words"), Some("")] {
        let answered = call(odd, Vec::new()).await.expect("a list");
        let made = answered.metadata().get("x-request-id").expect("an id");
        Uuid::parse_str(made.to_str().expect("text")).expect("a UUID");
    }

    let status = call(Some("my-call.2"), vec![0xff])
        .await
        .expect_err("malformed");
    assert_eq!(
        status.metadata().get("x-request-id").expect("an id"),
        "my-call.2"
    );
    let info = status.get_details_request_info().expect("RequestInfo");
    assert_eq!(info.request_id, "my-call.2");
}

#[tokio::test]
async fn too_much_load_is_told_when_to_come_back() {
    let app = Startlist::with(&["--max-calls", "0"]).await;
    let answer = app
        .user_service()
        .list_competitions(ListCompetitionsRequest::default())
        .await;
    let refusal = assert_rejected(answer, Code::ResourceExhausted, "OVERLOADED");
    assert!(refusal.details.retry_info().is_some());
}
