//! The program: config, telemetry, connect, listen, serve.

use std::fmt::Display;

use server::config::exit_with;
use server::{parse_or_exit, shutdown_signal, telemetry};
use user_service::{Command, Settings};

/// `EX_USAGE` of sysexits.h: a setting cannot be used.
const USAGE: i32 = 64;
/// `EX_OSERR` of sysexits.h: the system refused something.
const SYSTEM: i32 = 71;

#[tokio::main]
async fn main() {
    let settings: Settings = parse_or_exit();
    if let Some(Command::Probe(probe)) = settings.command {
        probe.run(settings.listen).await;
    }
    let run = &settings.service.run;
    let _log = telemetry::start(&run.log, run.log_format);
    let shutdown = shutdown_signal().unwrap_or_else(|error| fail(error, SYSTEM));
    let store = settings
        .connect()
        .unwrap_or_else(|error| fail(error, USAGE));
    let listener = settings
        .bind()
        .await
        .unwrap_or_else(|error| fail(error, USAGE));
    let served = user_service::serve(listener, store, settings.service, shutdown).await;
    served.unwrap_or_else(|error| fail(error, SYSTEM));
}

fn fail(sentence: impl Display, code: i32) -> ! {
    exit_with("user-service", sentence, code)
}
