//! The log of the real binaries: one line for each call, and no personal data at any level.

use api::admin;
use api::user::{
    ChangePasswordRequest, DeleteMeRequest, ExportMeRequest, GetMeRequest, ListCompetitionsRequest,
    SignInRequest, SignUpRequest, UpdateMeRequest,
};
use api::v1::User;
use integration_tests::{admin_client, user_client};
use serde_json::Value;
use tempfile::TempDir;
use tonic::Request;
use tonic::transport::Channel;

use crate::contract::USER;
use crate::running::RunningStartlist;

const EMAIL: &str = "lovelace.1815@example.org";
const PASSWORD: &str = "analytical-engine-1843";
const NEW_PASSWORD: &str = "difference-engine-1822";
const WRONG_PASSWORD: &str = "not-her-password-1815";
const NAME: &str = "Ada Augusta King";
const CLUB: &str = "Ockham Park Runners";
const UNKNOWN: &str = "nobody.1815@example.org";

/// Texts that must not be in a log, and are too unusual to be there by chance.
const PERSONAL: [&str; 8] = [
    EMAIL,
    PASSWORD,
    NEW_PASSWORD,
    WRONG_PASSWORD,
    NAME,
    CLUB,
    UNKNOWN,
    "owner@example.org",
];

/// Starts a `startlist` with these settings, in a directory that lives as long as the returned
/// value.
async fn start(settings: &[(&str, &str)]) -> (RunningStartlist, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let running = RunningStartlist::start(folder.path(), settings).await;
    (running, folder)
}

/// Makes every call that carries personal data or a secret. Returns the session token.
async fn use_an_account(channel: &Channel) -> String {
    let mut client = user_client(channel.clone(), None);
    let sign_up = SignUpRequest {
        email: EMAIL.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: NAME.to_owned(),
        club: CLUB.to_owned(),
        ..Default::default()
    };
    let session = client.sign_up(sign_up.clone()).await.expect("signed up");
    client
        .sign_up(sign_up)
        .await
        .expect_err("the address is taken");
    let attempts = [
        (EMAIL, WRONG_PASSWORD),
        (UNKNOWN, WRONG_PASSWORD),
        (NAME, PASSWORD),
    ];
    for (email, password) in attempts {
        let request = SignInRequest {
            email: email.to_owned(),
            password: password.to_owned(),
        };
        client.sign_in(request).await.expect_err("refused");
    }

    let token = session.into_inner().session_token;
    let mut client = user_client(channel.clone(), Some(&token));
    let too_long = UpdateMeRequest {
        user: Some(User {
            club: CLUB.repeat(20),
            ..Default::default()
        }),
        ..Default::default()
    };
    client.update_me(too_long).await.expect_err("refused");
    let change = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: NEW_PASSWORD.to_owned(),
        ..Default::default()
    };
    client.change_password(change).await.expect("changed");
    client
        .export_me(ExportMeRequest::default())
        .await
        .expect("an export");
    let delete = DeleteMeRequest {
        password: NEW_PASSWORD.to_owned(),
        ..Default::default()
    };
    client.delete_me(delete).await.expect("deleted");
    client
        .get_me(GetMeRequest {})
        .await
        .expect_err("the account is deleted");
    token
}

#[tokio::test]
async fn no_personal_data_and_no_secret_is_in_the_log_at_any_level() {
    for (level, format) in [("info", "text"), ("trace", "text"), ("trace", "json")] {
        let settings = [("STARTLIST_LOG", level), ("STARTLIST_LOG_FORMAT", format)];
        let (running, _folder) = start(&settings).await;
        let token = use_an_account(&running.user).await;
        let password = running.owner_password();
        let sign_in = admin::SignInRequest {
            email: "owner@example.org".to_owned(),
            password: password.clone(),
        };
        let mut client = admin_client(running.admin.clone(), None);
        let session = client.sign_in(sign_in).await.expect("the owner signs in");
        let owner_token = session.into_inner().session_token;
        let log = running.stop().await.stderr;
        assert!(log.contains("ChangePassword"), "{log}");
        let secrets = [token.as_str(), &owner_token, &password];
        for text in PERSONAL.into_iter().chain(secrets) {
            let line = log.lines().find(|line| line.contains(text));
            assert_eq!(line, None, "at the level {level}, as {format}");
        }
    }
}

#[tokio::test]
async fn each_call_is_one_line_with_its_id_its_code_and_its_duration() {
    let (running, _folder) = start(&[("STARTLIST_LOG_FORMAT", "json")]).await;
    let mut client = user_client(running.user.clone(), None);
    for (id, page_size) in [("good-call", 1), ("bad-call", -1)] {
        let mut request = Request::new(ListCompetitionsRequest {
            page_size,
            ..Default::default()
        });
        let id = id.parse().expect("a metadata value");
        request.metadata_mut().insert("x-request-id", id);
        let reply = client.list_competitions(request).await;
        assert_eq!(reply.is_ok(), page_size > 0);
    }
    let log = running.stop().await.stderr;
    for (id, code, reason) in [
        ("good-call", "OK", None),
        ("bad-call", "INVALID_ARGUMENT", Some("INVALID_FIELDS")),
    ] {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(id)).collect();
        assert_eq!(lines.len(), 1, "{log}");
        let line: Value = serde_json::from_str(lines[0]).expect("JSON");
        assert_eq!(line["request_id"], id);
        assert_eq!(line["method"], format!("{USER}/ListCompetitions"));
        assert_eq!(line["code"], code);
        assert_eq!(line["reason"].as_str(), reason);
        let duration = line["duration_ms"].as_f64().expect("a duration");
        assert!(duration > 0.0, "{line}");
        assert_eq!(line["level"], "INFO");
        assert!(line["timestamp"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn every_line_is_json_if_the_log_format_is_json() {
    let settings = [("STARTLIST_LOG_FORMAT", "json"), ("STARTLIST_LOG", "debug")];
    let (running, _folder) = start(&settings).await;
    use_an_account(&running.user).await;
    let log = running.stop().await.stderr;
    assert!(log.lines().count() > 10);
    for line in log.lines() {
        let parsed = serde_json::from_str::<Value>(line);
        let parsed = parsed.unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(parsed["level"].is_string(), "{line}");
    }
}
