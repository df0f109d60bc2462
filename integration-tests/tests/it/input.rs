//! Each field's limits: what is at them is kept as it was written, what is beyond them is refused by the
//! field's name.

use std::fmt::Debug;

use api::admin;
use api::admin::{
    AddRegistrationRequest, CancelCompetitionRequest, CreateAdminRequest, CreateCompetitionRequest,
    CreateCompetitionResponse, GetCompetitionRequest, GetUserRequest, RemoveRegistrationRequest,
};
use api::user::{
    ChangePasswordRequest, RegisterRequest, SignInRequest, SignUpRequest, UpdateMeRequest,
};
use api::v1::{AdminRole, Competition, Date, User as Profile};
use integration_tests::{Admin, PASSWORD, Startlist, assert_rejected};
use prost_types::Timestamp;
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::contract::{ADMIN, Contract};
use crate::raw;

/// The fields that an answer says are wrong; none if it is no such answer.
fn wrong_fields<T: Debug>(answer: Result<Response<T>, Status>) -> Vec<String> {
    if answer.is_ok() {
        return Vec::new();
    }
    let refusal = assert_rejected(answer, Code::InvalidArgument, "INVALID_FIELDS");
    let wrong = refusal.wrong_fields().into_iter();
    wrong.map(str::to_owned).collect()
}

/// Whether a value is at the limits or beyond them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Good,
    Bad,
}
use Is::{Bad, Good};

/// What a request has to answer whose one field is so.
fn expected(is: Is, field: &str) -> Vec<String> {
    match is {
        Good => Vec::new(),
        Bad => vec![field.to_owned()],
    }
}

/// Tries to create a competition.
async fn create(
    olga: &Admin,
    race: Competition,
) -> Result<Response<CreateCompetitionResponse>, Status> {
    let request = CreateCompetitionRequest {
        competition: Some(race),
        ..Default::default()
    };
    olga.calls().create_competition(request).await
}

#[tokio::test]
async fn the_texts_of_a_competition_have_limits() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let x = |characters| "x".repeat(characters);
    for (field, text, is) in [
        ("title", "🏃".repeat(120), Good),
        ("title", x(121), Bad),
        ("title", x(0), Bad),
        ("title", " \u{2003} ".to_owned(), Bad),
        ("title", "two\nlines".to_owned(), Bad),
        ("title", "a bell \u{7}".to_owned(), Bad),
        ("description", "ä".repeat(5000), Good),
        ("description", "two\r\nlines and a\ttab".to_owned(), Good),
        ("description", x(5001), Bad),
        ("description", "\u{1b}[31m".to_owned(), Bad),
        ("venue", "م".repeat(240), Good),
        ("venue", x(241), Bad),
        ("venue", "two\nlines".to_owned(), Bad),
        ("country_code", "CH".to_owned(), Good),
        ("country_code", "ch".to_owned(), Bad),
        ("country_code", "XX".to_owned(), Bad),
        ("country_code", "CHE".to_owned(), Bad),
    ] {
        let mut race = app.competition().message();
        let place = match field {
            "title" => &mut race.title,
            "description" => &mut race.description,
            "venue" => &mut race.venue,
            _ => &mut race.country_code,
        };
        place.clone_from(&text);
        let texts = |race: &Competition| {
            [
                &race.title,
                &race.description,
                &race.venue,
                &race.country_code,
            ]
            .map(String::clone)
        };
        let answer = create(&olga, race.clone()).await;
        if let Ok(made) = &answer {
            let made = made.get_ref().competition.as_ref().expect("a competition");
            assert_eq!(texts(made), texts(&race), "kept as it was written");
        }
        let wrong = expected(is, &format!("competition.{field}"));
        assert_eq!(wrong_fields(answer), wrong, "{field} {text}");
    }
}

#[tokio::test]
async fn the_numbers_of_a_competition_have_limits() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    for (field, number, is) in [
        ("capacity", 1, Good),
        ("capacity", 1_000_000, Good),
        ("capacity", 0, Bad),
        ("capacity", -1, Bad),
        ("capacity", 1_000_001, Bad),
        ("waitlist_capacity", 0, Good),
        ("waitlist_capacity", 1_000_000, Good),
        ("waitlist_capacity", -1, Bad),
        ("waitlist_capacity", 1_000_001, Bad),
    ] {
        let mut race = app.competition().message();
        match field {
            "capacity" => race.capacity = Some(number),
            _ => race.waitlist_capacity = Some(number),
        }
        let answer = create(&olga, race).await;
        let wrong = expected(is, &format!("competition.{field}"));
        assert_eq!(wrong_fields(answer), wrong, "{field} {number}");
    }
}

#[tokio::test]
async fn the_moments_of_a_competition_have_an_order_and_limits() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().message();
    let at = |seconds, nanos| Some(Timestamp { seconds, nanos });
    let end_of_9999 = 253_402_300_799;
    let ends_at = race.ends_at.expect("a moment").seconds;
    for (field, moment, is) in [
        ("registration_closes_at", race.starts_at, Good),
        ("registration_closes_at", race.registration_opens_at, Bad),
        ("registration_closes_at", race.ends_at, Bad),
        ("registration_closes_at", None, Bad),
        ("ends_at", race.starts_at, Bad),
        ("ends_at", None, Bad),
        ("ends_at", at(end_of_9999, 999_999_999), Good),
        ("ends_at", at(end_of_9999 + 1, 0), Bad),
        ("ends_at", at(i64::MAX, 0), Bad),
        ("ends_at", at(ends_at, -1), Bad),
        ("ends_at", at(ends_at, 1_000_000_000), Bad),
        ("registration_opens_at", at(0, 0), Good),
        ("registration_opens_at", at(-1, 0), Bad),
        ("registration_opens_at", None, Bad),
        ("starts_at", None, Bad),
    ] {
        let mut race = race.clone();
        match field {
            "registration_opens_at" => race.registration_opens_at = moment,
            "registration_closes_at" => race.registration_closes_at = moment,
            "starts_at" => race.starts_at = moment,
            _ => race.ends_at = moment,
        }
        let answer = create(&olga, race).await;
        let wrong = expected(is, &format!("competition.{field}"));
        assert_eq!(wrong_fields(answer), wrong, "{field} {moment:?}");
    }
}

#[tokio::test]
async fn the_texts_of_an_account_have_limits() {
    let app = Startlist::start().await;
    let x = |characters| "x".repeat(characters);
    for (field, text, is) in [
        ("email", String::new(), Bad),
        ("email", "ada".to_owned(), Bad),
        ("email", "ada@localhost".to_owned(), Bad),
        ("email", "Ada <ada@example.org>".to_owned(), Bad),
        ("email", format!("{}@example.org", x(250)), Bad),
        ("email", "Ada+race@Example.org".to_owned(), Good),
        ("password", "🏆".repeat(8), Good),
        ("password", x(128), Good),
        ("password", "1234567".to_owned(), Bad),
        ("password", x(129), Bad),
        ("password", "Password1".to_owned(), Bad),
        ("display_name", "ع".repeat(80), Good),
        ("display_name", x(81), Bad),
        ("display_name", String::new(), Bad),
        ("display_name", "Ada\u{0}".to_owned(), Bad),
        ("country_code", "GB".to_owned(), Good),
        ("country_code", "UK".to_owned(), Bad),
        ("club", x(120), Good),
        ("club", x(121), Bad),
        ("request_id", "7".to_owned(), Bad),
    ] {
        let mut account = account(&Uuid::new_v4().to_string());
        let place = match field {
            "email" => &mut account.email,
            "password" => &mut account.password,
            "display_name" => &mut account.display_name,
            "country_code" => &mut account.country_code,
            "club" => &mut account.club,
            _ => &mut account.request_id,
        };
        place.clone_from(&text);
        let answer = app.user_service().sign_up(account.clone()).await;
        if let Ok(made) = &answer {
            let made = made.get_ref().user.as_ref().expect("a user");
            let kept = [
                &made.email,
                &made.display_name,
                &made.country_code,
                &made.club,
            ];
            let said = [
                &account.email,
                &account.display_name,
                &account.country_code,
                &account.club,
            ];
            assert_eq!(kept, said, "kept as it was written");
        }
        assert_eq!(wrong_fields(answer), expected(is, field), "{field} {text}");
    }
}

#[tokio::test]
async fn a_birth_date_is_a_real_day_since_1900_that_has_been() {
    let app = Startlist::start().await;
    for (year, month, day, is) in [
        (1900, 1, 1, Good),
        (2004, 2, 29, Good),
        (1899, 12, 31, Bad),
        (2003, 2, 29, Bad),
        (2000, 13, 1, Bad),
        (0, 0, 0, Bad),
        (2999, 1, 1, Bad),
    ] {
        let birth_date = Some(Date { year, month, day });
        let account = SignUpRequest {
            birth_date,
            ..account(&format!("ada-{year}-{month}"))
        };
        let answer = app.user_service().sign_up(account).await;
        if let Ok(made) = &answer {
            let made = made.get_ref().user.as_ref().expect("a user");
            assert_eq!(made.birth_date, birth_date);
        }
        assert_eq!(
            wrong_fields(answer),
            expected(is, "birth_date"),
            "{birth_date:?}"
        );
    }
}

fn account(name: &str) -> SignUpRequest {
    SignUpRequest {
        email: format!("{name}@example.org"),
        password: PASSWORD.to_owned(),
        display_name: "Ada".to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn what_users_send_otherwise_has_limits() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let update = UpdateMeRequest {
        user: Some(Profile {
            display_name: "x".repeat(81),
            club: "two\nlines".to_owned(),
            country_code: "xx".to_owned(),
            birth_date: Some(Date {
                year: 2000,
                month: 13,
                day: 1,
            }),
            ..Default::default()
        }),
        update_mask: None,
        request_id: "{}".to_owned(),
    };
    let mut wrong = wrong_fields(ada.calls().update_me(update).await);
    wrong.sort_unstable();
    assert_eq!(
        wrong,
        [
            "request_id",
            "user.birth_date",
            "user.club",
            "user.country_code",
            "user.display_name"
        ]
    );

    let change = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: "12345678".to_owned(),
        request_id: String::new(),
    };
    assert_eq!(
        wrong_fields(ada.calls().change_password(change).await),
        ["new_password"]
    );

    let sign_in = SignInRequest {
        email: "ada".to_owned(),
        password: "x".repeat(129),
    };
    assert_eq!(
        wrong_fields(app.user_service().sign_in(sign_in).await),
        ["email", "password"]
    );
}

#[tokio::test]
async fn what_admins_send_otherwise_has_limits() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let create = CreateAdminRequest {
        email: "nina@".to_owned(),
        password: "short".to_owned(),
        display_name: " ".to_owned(),
        role: AdminRole::Unspecified.into(),
        request_id: "7".to_owned(),
    };
    assert_eq!(
        wrong_fields(owner.calls().create_admin(create).await),
        ["email", "password", "display_name", "role", "request_id"]
    );
    let race = app.competition().open().await;
    let reason = |characters: usize| CancelCompetitionRequest {
        competition_id: race.competition_id.clone(),
        reason: "é".repeat(characters),
        request_id: String::new(),
    };
    assert_eq!(
        wrong_fields(owner.calls().cancel_competition(reason(501)).await),
        ["reason"]
    );
    owner
        .calls()
        .cancel_competition(reason(500))
        .await
        .expect("as long as can be");
    let remove = RemoveRegistrationRequest {
        competition_id: race.competition_id,
        user_id: "ada".to_owned(),
        reason: "two\nlines".to_owned(),
        request_id: String::new(),
    };
    assert_eq!(
        wrong_fields(owner.calls().remove_registration(remove).await),
        ["reason"]
    );
}

#[tokio::test]
async fn an_id_is_3_to_64_small_letters_digits_and_hyphens() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let ada = app.new_user("ada").await;
    let long = "x".repeat(65);
    for odd in [
        "", "ab", "Spring", "a b", "a_b", "ä-b-c", "a:b", "{a}", "a/b", "*", &long,
    ] {
        let id = || odd.to_owned();
        let register = RegisterRequest {
            competition_id: id(),
            ..Default::default()
        };
        assert_eq!(
            wrong_fields(ada.calls().register(register).await),
            ["competition_id"]
        );
        let get = GetCompetitionRequest {
            competition_id: id(),
        };
        assert_eq!(
            wrong_fields(owner.calls().get_competition(get).await),
            ["competition_id"]
        );
        let get = GetUserRequest { user_id: id() };
        assert_eq!(wrong_fields(owner.calls().get_user(get).await), ["user_id"]);
        let add = AddRegistrationRequest {
            competition_id: id(),
            user: Some(admin::add_registration_request::User::UserId(id())),
            ..Default::default()
        };
        let wrong = wrong_fields(owner.calls().add_registration(add).await);
        assert_eq!(wrong, ["competition_id", "user_id"], "{odd:?}");
    }
    let sixty_four = "x".repeat(64);
    for good in ["abc", "0-9", "---", &sixty_four] {
        let request = CreateCompetitionRequest {
            competition: Some(app.competition().message()),
            competition_id: Some(good.to_owned()),
            request_id: String::new(),
        };
        let made = owner
            .calls()
            .create_competition(request)
            .await
            .expect("created")
            .into_inner();
        assert_eq!(
            made.competition.expect("a competition").competition_id,
            good
        );
    }
}

#[tokio::test]
async fn no_list_takes_a_negative_size_or_a_made_up_token() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    let contract = Contract::read();
    let mut lists = 0;
    for rpc in &contract.rpcs {
        let fields = contract.fields_of(&rpc.request);
        let Some(number) = fields.iter().position(|field| field == "page_size") else {
            continue;
        };
        lists += 1;
        let (channel, token) = match rpc.service.as_str() {
            ADMIN => (app.admin_channel(), &owner.token),
            _ => (app.user_channel(), &ada.token),
        };
        let said = |page_token: &str| {
            contract.filled(&rpc.request, &|field| match field {
                "competition_id" => race.competition_id.clone(),
                "page_token" => page_token.to_owned(),
                _ => String::new(),
            })
        };
        let mut negative = said("");
        let number = u32::try_from(number + 1).expect("fields are numbered in their order");
        prost::encoding::int32::encode(number, &-1, &mut negative);
        for (message, wrong) in [(negative, "page_size"), (said("made-up"), "page_token")] {
            let answer = raw::call(channel.clone(), &rpc.path, Some(token), message).await;
            assert_eq!(
                wrong_fields(answer.map(Response::new)),
                [wrong],
                "{}",
                rpc.path
            );
        }
    }
    assert_eq!(lists, 7);
}
