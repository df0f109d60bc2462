//! The errors of failed calls, as a client receives them.

use std::collections::BTreeSet;

use api::admin::CreateCompetitionRequest;
use api::user::ListCompetitionsRequest;
use api::v1::Competition;
use integration_tests::{Startlist, assert_rejected, from_now, reason};
use testkit::eventually;
use tonic::Request;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::contract::{ADMIN, Contract, USER};
use crate::raw;

#[tokio::test]
async fn every_wrong_field_is_listed_with_a_description() {
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
    let reply = olga.calls().create_competition(wrong).await;
    let refusal = assert_rejected(reply, reason::INVALID_FIELDS);
    let fields = BTreeSet::from_iter(refusal.wrong_fields());
    let expected = [
        "competition.capacity",
        "competition.country_code",
        "competition.description",
        "competition.ends_at",
        "competition.registration_closes_at",
        "competition.title",
        "competition.waitlist_capacity",
        "competition_id",
        "request_id",
    ];
    assert_eq!(fields, BTreeSet::from(expected));
    let violations = refusal.details.bad_request().expect("BadRequest");
    let mut violations = violations.field_violations.iter();
    assert!(violations.all(|violation| !violation.description.is_empty()));
}

#[tokio::test]
async fn a_message_above_64_kib_is_refused_and_a_smaller_one_is_read() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let ada = app.new_user("ada").await;
    // No message has a field 15, and unknown fields are skipped.
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
        let reply = raw::call(channel, &rpc.path, Some(token), padded(64 * 1024)).await;
        assert_rejected(reply, reason::MESSAGE_TOO_LARGE);
    }
    let path = format!("/{USER}/ListCompetitions");
    let reply = raw::call(app.user_channel(), &path, None, padded(64 * 1024 - 4)).await;
    reply.expect("a list");
}

#[tokio::test]
async fn a_method_that_the_service_does_not_have_is_unimplemented() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    for path in [
        &format!("/{ADMIN}/DropEverything"),
        // A method of the other service.
        &format!("/{USER}/SignUp"),
        "/startlist.admin.v2.AdminService/SignIn",
        "/",
    ] {
        let reply = raw::call(app.admin_channel(), path, Some(&owner.token), Vec::new()).await;
        assert_rejected(reply, reason::UNKNOWN_METHOD);
    }
}

#[tokio::test]
async fn a_deadline_that_passes_is_refused_with_the_outcome() {
    // The deadline of the server, because tonic's client does not wait for the reply after its own.
    // It is shorter than the timeout of Redis.
    let mut app = Startlist::with(&["--max-deadline", "400ms"]).await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    app.redis.freeze().expect("frozen");
    let refusal = assert_rejected(ada.register(&race).await, reason::DEADLINE_EXCEEDED);
    // The session was still being read, so no write was sent.
    assert_eq!(refusal.fact("outcome"), "NOT_APPLIED");
    app.redis.thaw().expect("running");
    eventually("calls succeed", async || ada.me().await.is_ok()).await;
    assert_rejected(ada.registration(&race).await, reason::NOT_REGISTERED);
}

#[tokio::test]
async fn an_unreachable_redis_is_reported_without_any_detail_of_it() {
    let mut app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    app.redis.kill();
    let race = Competition {
        competition_id: "city-run".to_owned(),
        ..Default::default()
    };
    let refusal = assert_rejected(ada.register(&race).await, reason::STORE_UNAVAILABLE);
    assert_eq!(refusal.fact("outcome"), "NOT_APPLIED");
    let retry = refusal.details.retry_info().expect("RetryInfo");
    assert!(retry.retry_delay.is_some());
    let text = format!("{} {:?}", refusal.message, refusal.metadata).to_lowercase();
    let port = app.redis.address().port().to_string();
    for detail in ["127.0.0.1", &port, "refused", "redis"] {
        assert!(!text.contains(detail), "{text}");
    }
}

#[tokio::test]
async fn the_id_of_a_call_is_taken_from_the_request_or_made_and_returned() {
    let app = Startlist::start().await;
    let path = format!("/{USER}/ListCompetitions");
    let call = async |id: Option<&str>, message: Vec<u8>| {
        let mut request = Request::new(message);
        if let Some(id) = id {
            let id = id.parse().expect("a metadata value");
            request.metadata_mut().insert("x-request-id", id);
        }
        raw::send(app.user_channel(), &path, request).await
    };
    let reply = call(Some("my-call.1"), Vec::new()).await.expect("a list");
    let id = reply.metadata().get("x-request-id").expect("an id");
    assert_eq!(id, "my-call.1");

    for invalid in [None, Some("two words"), Some("")] {
        let reply = call(invalid, Vec::new()).await.expect("a list");
        let id = reply.metadata().get("x-request-id").expect("an id");
        Uuid::parse_str(id.to_str().expect("text")).expect("a UUID");
    }

    let status = call(Some("my-call.2"), vec![0xff]).await;
    let status = status.expect_err("malformed");
    let id = status.metadata().get("x-request-id").expect("an id");
    assert_eq!(id, "my-call.2");
    let info = status.get_details_request_info().expect("RequestInfo");
    assert_eq!(info.request_id, "my-call.2");
}

#[tokio::test]
async fn an_overloaded_server_tells_clients_when_to_retry() {
    let app = Startlist::with(&["--max-calls", "0"]).await;
    let request = ListCompetitionsRequest::default();
    let reply = app.user_service().list_competitions(request).await;
    let refusal = assert_rejected(reply, reason::OVERLOADED);
    assert!(refusal.details.retry_info().is_some());
}

#[tokio::test]
async fn an_account_that_changes_too_much_is_told_when_to_go_on_and_can_always_withdraw() {
    let app = Startlist::with(&["--changes-per-minute", "3"]).await;
    let race = app.competition().open().await;
    let [ada, ben] = app.users(["ada", "ben"]).await;
    for _ in 0..3 {
        ada.register(&race).await.expect("in");
        ada.withdraw(&race).await.expect("out");
    }
    let refusal = assert_rejected(ada.register(&race).await, reason::TOO_MANY_CHANGES);
    let delay = refusal.details.retry_info().expect("RetryInfo").retry_delay;
    let delay = delay.expect("a delay");
    assert!(!delay.is_zero() && delay.as_secs() <= 20, "{delay:?}");
    ben.register(&race).await.expect("another account");
    let withdrawn = ada.withdraw(&race).await;
    assert_rejected(withdrawn, reason::NOT_REGISTERED);
}
