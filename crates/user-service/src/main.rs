//! The program: config, telemetry, connect, listen, serve.

use std::fmt::Display;

use server::config::exit_with;
use server::{parse_or_exit, shutdown_signal, telemetry};
use tikv_jemallocator::Jemalloc;
use user_service::{Command, Settings};

/// `EX_USAGE` of sysexits.h: a setting cannot be used.
const USAGE: i32 = 64;
/// `EX_OSERR` of sysexits.h: the system refused something.
const SYSTEM: i32 = 71;

/// It gives back within 10 s what is not used any more, by a thread of its own: the working memory of a
/// password hash, and what a rush took. (Measured after one: 10 MB resident for admin-service, where mimalloc
/// kept 39 MB, and no more CPU. The allocator of the system took a sixth of a registration's CPU.)
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// One thread serves all calls: Redis has one too, and is the busier of the two. What becomes ready at the
/// same moment is then answered in one write for each connection, where two threads would write each answer
/// as it comes (measured: 22 us of CPU a registration, not 30). Passwords are hashed on threads of their own.
#[tokio::main(flavor = "current_thread")]
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
