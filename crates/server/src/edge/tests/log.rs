//! The log lines of calls.

use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::time::timeout_at;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::telemetry;

/// The lines of this thread at the level info.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn capture() -> (Self, DefaultGuard) {
        let lines = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .event_format(telemetry::json())
            .with_max_level(tracing::Level::INFO)
            .with_writer(lines.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        (lines, guard)
    }

    fn read(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = std::str::from_utf8(&bytes).expect("text");
        text.lines().map(str::to_owned).collect()
    }
}

impl io::Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

/// Asserts that there is one line, which contains all of this.
fn assert_one_line(lines: &Lines, parts: &[&str]) {
    let lines = lines.read();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    for part in parts {
        assert!(lines[0].contains(part), "{part} is not in {}", lines[0]);
    }
}

#[tokio::test]
async fn a_call_has_one_line() {
    let (lines, _guard) = Lines::capture();
    call(succeed, "Open", &[("x-request-id", "mine-1")]).await;
    let parts = [
        r#""level":"INFO""#,
        r#""method":"test.v1.TestService/Open""#,
        r#""code":"OK""#,
        r#""duration_ms":"#,
        r#""request_id":"mine-1""#,
    ];
    assert_one_line(&lines, &parts);
}

#[tokio::test]
async fn a_rejection_has_one_line_with_its_reason() {
    let (lines, _guard) = Lines::capture();
    call(async || Err(Rejection::EmailTaken.into()), "Open", &[]).await;
    let parts = [
        r#""level":"INFO""#,
        r#""code":"ALREADY_EXISTS""#,
        r#""reason":"EMAIL_TAKEN""#,
    ];
    assert_one_line(&lines, &parts);
}

#[tokio::test]
async fn the_detail_of_a_server_failure_is_in_the_log() {
    let (lines, _guard) = Lines::capture();
    let corrupt = async || Err(Failure::Internal("a record without a title".to_owned()));
    call(corrupt, "Open", &[("x-request-id", "mine-1")]).await;
    let parts = [
        r#""level":"ERROR""#,
        r#""detail":"a record without a title""#,
        r#""request_id":"mine-1""#,
    ];
    assert_one_line(&lines, &parts);

    let (lines, _guard) = Lines::capture();
    call(succeed, "OfUsers", &[("authorization", &user_token())]).await;
    let parts = [
        r#""level":"WARN""#,
        r#""code":"UNAVAILABLE""#,
        r#""detail":"redis is unavailable"#,
    ];
    assert_one_line(&lines, &parts);
}

#[tokio::test]
async fn no_credential_is_logged() {
    let (lines, _guard) = Lines::capture();
    let credential = user_token();
    for method in ["Open", "OfUsers", "OfViewers", "OfOwners", "Forgotten"] {
        call(succeed, method, &[("authorization", &credential)]).await;
    }
    let lines = lines.read();
    assert_eq!(lines.len(), 5);
    assert!(!lines.concat().contains("stl_"));
}

#[tokio::test]
async fn an_unknown_path_is_not_logged() {
    let (lines, _guard) = Lines::capture();
    send(succeed, 100, request("/ada@example.org", &[])).await;
    assert_one_line(
        &lines,
        &[r#""method":"unknown""#, r#""code":"UNIMPLEMENTED""#],
    );
    assert!(!lines.read().concat().contains("ada"));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_the_client_cancelled_has_one_line() {
    let (lines, _guard) = Lines::capture();
    let call = call(endless, "Open", &[]);
    assert!(timeout_at(Instant::now(), call).await.is_err());
    assert_one_line(&lines, &[r#""code":"CANCELLED""#]);
}

#[tokio::test]
async fn health_is_not_logged() {
    let (lines, _guard) = Lines::capture();
    send(succeed, 100, message("/grpc.health.v1.Health/Check", &[])).await;
    send(succeed, 100, message(&report_path(), &[8, 1])).await;
    assert_eq!(lines.read(), Vec::<String>::new());
}
