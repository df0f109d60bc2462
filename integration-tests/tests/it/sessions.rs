//! Sessions: how many a user has, and what is stored of them.

use std::fs;
use std::path::Path;

use api::user::{ExportMeRequest, SignUpRequest};
use integration_tests::{PASSWORD, Startlist, assert_rejected, reason};
use testkit::eventually;

#[tokio::test]
async fn a_user_has_twenty_sessions_and_a_new_one_ends_the_oldest() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let mut newest = String::new();
    for _ in 0..20 {
        let session = app.sign_in(&ada.email, PASSWORD).await.expect("signed in");
        newest = session.session_token;
    }
    assert_rejected(ada.me().await, reason::UNAUTHENTICATED);
    let mut calls = app.user_service_as(&newest);
    let export = calls.export_me(ExportMeRequest::default()).await;
    assert_eq!(export.expect("an export").into_inner().sessions.len(), 20);
}

#[tokio::test]
async fn a_session_survives_a_restart_of_redis() {
    let mut app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    app.redis.restart().expect("restarted");
    eventually("the session is valid", async || ada.me().await.is_ok()).await;
}

#[tokio::test]
async fn no_token_no_password_and_no_address_in_a_key_is_written_to_disk() {
    let app = Startlist::start().await;
    let request = SignUpRequest {
        email: "ada@example.org".to_owned(),
        password: "analytical engine".to_owned(),
        display_name: "Ada".to_owned(),
        ..Default::default()
    };
    let reply = app
        .user_service()
        .sign_up(request)
        .await
        .expect("signed up");
    let token = reply.into_inner().session_token;
    let stored = read_all(app.redis.data_dir());
    assert!(
        stored.contains("Ada"),
        "the data of Redis is in this directory"
    );
    assert!(!stored.contains("analytical engine"));
    // The last part of a token is its secret.
    let secret = token.rsplit('_').next().expect("a secret");
    assert!(!stored.contains(secret));
    assert!(
        !stored.contains("email:{ada@"),
        "an address in a key is hashed"
    );
}

/// The content of all files below a directory, as text.
fn read_all(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            text += &read_all(&path);
        } else {
            text += &String::from_utf8_lossy(&fs::read(&path).expect("a file"));
        }
    }
    text
}
