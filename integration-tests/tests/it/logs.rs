//! The log of the real binaries: one line per call, and nothing about a person at any level.

use std::fs;

use api::admin;
use api::user::{
    ChangePasswordRequest, DeleteMeRequest, ExportMeRequest, GetMeRequest, ListCompetitionsRequest,
    SignInRequest, SignUpRequest, UpdateMeRequest,
};
use api::v1::{Date, User};
use integration_tests::{admin_client, channel_to, user_client};
use nix::sys::signal::Signal;
use serde_json::Value;
use testkit::Program;
use tonic::Request;
use tonic::transport::Channel;

use crate::contract::USER;

const EMAIL: &str = "lovelace.1815@example.org";
const PASSWORD: &str = "analytical-engine-1843";
const NEW_PASSWORD: &str = "difference-engine-1822";
const WRONG_PASSWORD: &str = "not-her-password-1815";
const NAME: &str = "Ada Augusta King";
const CLUB: &str = "Ockham Park Runners";
const NOBODY: &str = "nobody.1815@example.org";

/// What must not stand in a log, and could not stand there by chance.
const PERSONAL: [&str; 8] = [
    EMAIL,
    PASSWORD,
    NEW_PASSWORD,
    WRONG_PASSWORD,
    NAME,
    CLUB,
    NOBODY,
    "owner@example.org",
];

/// A `startlist` and its connections.
struct Running {
    program: Program,
    admin: Channel,
    user: Channel,
    /// The owner's.
    password: String,
}

impl Running {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().to_str().expect("a path");
        let mut all = vec![
            ("STARTLIST_ADMIN_LISTEN", "127.0.0.1:0"),
            ("STARTLIST_USER_LISTEN", "127.0.0.1:0"),
            ("STARTLIST_LAME_DUCK", "0s"),
            ("STARTLIST_DATA_DIR", data_dir),
        ];
        all.extend(settings);
        let program = Program::start("startlist", &[], &all);
        program.wait_for_stdout("Ctrl-C").await;
        let said = program.stdout();
        let connect = |name: &str| {
            let (_, rest) = said.split_once(name).expect("both services are named");
            channel_to(rest.split([',', '\n']).next().expect("an address"))
        };
        let password = fs::read_to_string(folder.path().join("owner-password"));
        Self {
            admin: connect("admin-service on "),
            user: connect("user-service on "),
            password: password.expect("a password").trim_end().to_owned(),
            program,
        }
    }

    /// Ends it and answers its log.
    async fn log(self) -> String {
        self.program.signal(Signal::SIGTERM);
        let ended = self.program.exit().await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stderr
    }
}

/// Calls in each way that brings personal data or a secret. Answers the token.
async fn live_a_life(channel: &Channel) -> String {
    let mut anybody = user_client(channel.clone(), None);
    let sign_up = SignUpRequest {
        email: EMAIL.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: NAME.to_owned(),
        birth_date: Some(Date {
            year: 1915,
            month: 12,
            day: 10,
        }),
        club: CLUB.to_owned(),
        ..Default::default()
    };
    let session = anybody
        .sign_up(sign_up.clone())
        .await
        .expect("an account")
        .into_inner();
    anybody
        .sign_up(sign_up)
        .await
        .expect_err("the address is taken");
    for (email, password) in [
        (EMAIL, WRONG_PASSWORD),
        (NOBODY, WRONG_PASSWORD),
        (NAME, PASSWORD),
    ] {
        let request = SignInRequest {
            email: email.to_owned(),
            password: password.to_owned(),
        };
        anybody.sign_in(request).await.expect_err("refused");
    }

    let token = session.session_token;
    let mut ada = user_client(channel.clone(), Some(&token));
    let too_long = UpdateMeRequest {
        user: Some(User {
            club: CLUB.repeat(20),
            ..Default::default()
        }),
        ..Default::default()
    };
    ada.update_me(too_long).await.expect_err("refused");
    let change = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: NEW_PASSWORD.to_owned(),
        request_id: String::new(),
    };
    ada.change_password(change).await.expect("changed");
    ada.export_me(ExportMeRequest {}).await.expect("an export");
    let delete = DeleteMeRequest {
        password: NEW_PASSWORD.to_owned(),
        request_id: String::new(),
    };
    ada.delete_me(delete).await.expect("deleted");
    ada.get_me(GetMeRequest {})
        .await
        .expect_err("nobody any more");
    token
}

#[tokio::test]
async fn nothing_about_a_person_and_no_secret_stands_in_the_log_at_any_level() {
    for (level, format) in [("info", "text"), ("trace", "text"), ("trace", "json")] {
        let settings = [("STARTLIST_LOG", level), ("STARTLIST_LOG_FORMAT", format)];
        let running = Running::start(&settings).await;
        let token = live_a_life(&running.user).await;
        let sign_in = admin::SignInRequest {
            email: "owner@example.org".to_owned(),
            password: running.password.clone(),
        };
        let mut anybody = admin_client(running.admin.clone(), None);
        let session = anybody
            .sign_in(sign_in)
            .await
            .expect("the owner")
            .into_inner();
        let password = running.password.clone();
        let log = running.log().await;
        assert!(log.contains("ChangePassword"), "this is the log");
        let secrets = [&token, &session.session_token, &password].map(String::as_str);
        for text in PERSONAL.into_iter().chain(secrets) {
            let line = log.lines().find(|line| line.contains(text));
            assert_eq!(line, None, "at the level {level}, as {format}");
        }
    }
}

#[tokio::test]
async fn each_call_is_one_line_with_its_id_its_code_and_how_long_it_took() {
    let running = Running::start(&[("STARTLIST_LOG_FORMAT", "json")]).await;
    let mut anybody = user_client(running.user.clone(), None);
    for (id, page_size) in [("good-call", 1), ("bad-call", -1)] {
        let mut request = Request::new(ListCompetitionsRequest {
            page_size,
            ..Default::default()
        });
        request
            .metadata_mut()
            .insert("x-request-id", id.parse().expect("a value"));
        let answer = anybody.list_competitions(request).await;
        assert_eq!(answer.is_ok(), page_size > 0);
    }
    let log = running.log().await;
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
        assert!(
            line["duration_ms"].as_f64().is_some_and(|took| took > 0.0),
            "{line}"
        );
        assert_eq!(line["level"], "INFO");
        assert!(line["timestamp"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn every_line_is_json_if_it_is_asked_for() {
    let settings = [("STARTLIST_LOG_FORMAT", "json"), ("STARTLIST_LOG", "debug")];
    let running = Running::start(&settings).await;
    live_a_life(&running.user).await;
    let log = running.log().await;
    assert!(log.lines().count() > 10);
    for line in log.lines() {
        let parsed: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(parsed["level"].is_string(), "{line}");
    }
}
