//! The limits of fields. What they are is tested in `domain`, and that each request keeps them in
//! `integration-tests/fuzz`. Here: values at the limits are stored and returned unchanged, and each
//! list checks its page.

use api::user::SignUpRequest;
use api::v1::{Competition, Date};
use integration_tests::{Startlist, assert_rejected, reason};
use prost_types::Timestamp;

use crate::contract::{ADMIN, Contract};
use crate::raw;

#[tokio::test]
async fn a_competition_with_all_fields_at_their_limits_is_stored_unchanged() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let largest = Competition {
        title: "🏃".repeat(120),
        description: "ä\r\n\t".repeat(1250),
        venue: "م".repeat(240),
        capacity: Some(1_000_000),
        waitlist_capacity: Some(1_000_000),
        registration_opens_at: Some(Timestamp::default()),
        ends_at: Some(Timestamp {
            seconds: 253_402_300_799,
            nanos: 999_000_000,
        }),
        ..app.competition().message()
    };
    let id = "x".repeat(64);
    let created = olga
        .create(largest.clone(), Some(&id))
        .await
        .expect("created");
    assert_eq!(created.competition_id, id);
    let details = |race: &Competition| {
        let texts = [&race.title, &race.description, &race.venue].map(String::clone);
        let counts = [race.capacity, race.waitlist_capacity];
        (texts, counts, race.registration_opens_at, race.ends_at)
    };
    assert_eq!(
        details(&olga.competition(&created).await),
        details(&largest)
    );

    let text_too_long = Competition {
        title: "🏃".repeat(121),
        ..largest
    };
    let reply = olga.create(text_too_long, None).await;
    let refusal = assert_rejected(reply, reason::INVALID_FIELDS);
    assert_eq!(refusal.wrong_fields(), ["competition.title"]);
}

#[tokio::test]
async fn an_account_with_all_fields_at_their_limits_is_stored_unchanged() {
    let app = Startlist::start().await;
    let largest = SignUpRequest {
        email: "Ada+race@Example.org".to_owned(),
        password: "🏆".repeat(128),
        display_name: "ع".repeat(80),
        club: "x".repeat(120),
        birth_date: Some(Date {
            year: 1900,
            month: 1,
            day: 1,
        }),
        ..Default::default()
    };
    let reply = app.user_service().sign_up(largest.clone()).await;
    reply.expect("signed up");
    let session = app.sign_in(&largest.email, &largest.password).await;
    let user = session.expect("signed in").user.expect("a user");
    assert_eq!(
        (&user.email, &user.display_name),
        (&largest.email, &largest.display_name)
    );
    assert_eq!(
        (&user.club, user.birth_date),
        (&largest.club, largest.birth_date)
    );
}

#[tokio::test]
async fn every_list_refuses_a_negative_page_size_and_a_forged_page_token() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    let contract = Contract::read();
    let mut lists = 0;
    for rpc in &contract.rpcs {
        let fields = contract.fields_of(&rpc.request);
        let Some(index) = fields.iter().position(|field| field == "page_size") else {
            continue;
        };
        lists += 1;
        let (channel, token) = match rpc.service.as_str() {
            ADMIN => (app.admin_channel(), &owner.token),
            _ => (app.user_channel(), &ada.token),
        };
        let request = |page_token: &str| {
            contract.filled(&rpc.request, &|field| match field {
                "competition_id" => race.competition_id.clone(),
                "page_token" => page_token.to_owned(),
                _ => String::new(),
            })
        };
        let mut negative = request("");
        let number = u32::try_from(index + 1).expect("fields are numbered in their order");
        prost::encoding::int32::encode(number, &-1, &mut negative);
        for (message, field) in [(negative, "page_size"), (request("forged"), "page_token")] {
            let reply = raw::call(channel.clone(), &rpc.path, Some(token), message).await;
            let refusal = assert_rejected(reply, reason::INVALID_FIELDS);
            assert_eq!(refusal.wrong_fields(), [field], "{}", rpc.path);
        }
    }
    assert_eq!(lists, 8);
}
