//! Sessions: how many, how they end, and what is kept of them.

use std::fs;
use std::path::Path;

use api::user::{ExportMeRequest, GetMeRequest, SignInRequest, SignUpRequest};
use integration_tests::{PASSWORD, Startlist, assert_rejected};
use tonic::Code;

#[tokio::test]
async fn a_user_has_twenty_sessions_and_the_oldest_makes_room() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let mut newest = String::new();
    for _ in 0..20 {
        let request = SignInRequest {
            email: ada.email.clone(),
            password: PASSWORD.to_owned(),
        };
        let answer = app
            .user_service()
            .sign_in(request)
            .await
            .expect("signed in");
        newest = answer.into_inner().session_token;
    }
    let answer = ada.calls().get_me(GetMeRequest {}).await;
    assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");
    let newest = app.user_service_as(&newest);
    let export = newest
        .clone()
        .export_me(ExportMeRequest {})
        .await
        .expect("an export");
    assert_eq!(export.into_inner().sessions.len(), 20);
}

#[tokio::test]
async fn a_session_outlives_a_restart_of_redis() {
    let mut app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    app.redis.restart().expect("started again");
    testkit::eventually("the session is known again", async || {
        ada.calls().get_me(GetMeRequest {}).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn neither_a_token_nor_a_password_nor_an_address_in_a_key_reaches_the_disk() {
    let app = Startlist::start().await;
    let request = SignUpRequest {
        email: "ada@example.org".to_owned(),
        password: "analytical engine".to_owned(),
        display_name: "Ada".to_owned(),
        ..Default::default()
    };
    let answer = app
        .user_service()
        .sign_up(request)
        .await
        .expect("an account")
        .into_inner();
    let token = answer.session_token;
    let kept = everything_in(app.redis.data_dir());
    assert!(kept.contains("Ada"), "this is where it is kept");
    assert!(!kept.contains("analytical engine"));
    // The part behind the id: it is the secret.
    let secret = token.rsplit('_').next().expect("a secret");
    assert!(!kept.contains(secret));
    assert!(
        !kept.contains("email:{ada@"),
        "an address is hashed where it is a key"
    );
}

/// All files of a folder, as text.
fn everything_in(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            text += &everything_in(&path);
        } else {
            text += &String::from_utf8_lossy(&fs::read(&path).expect("a file"));
        }
    }
    text
}
