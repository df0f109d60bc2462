//! A server in a process of its own, so that it can be killed and frozen.

use std::env;
use std::future;

use testkit::Program;
use tokio::process::Command;

use crate::server::{NOWHERE, Server};

const ADDRESS: &str = "STARTLIST_TEST_HEALTH_ADDRESS";
const LISTENING: &str = "listening";

/// Starts a server without a reachable Redis or peer at this address: of its health only the base
/// is serving. Returns when it listens.
pub(crate) async fn start_server(address: &str) -> Program {
    let mut command = Command::new(env::current_exe().expect("the path of this test"));
    command
        .args([
            "process::server_process",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(ADDRESS, address);
    let process = Program::spawn(command);
    process.wait_for_stdout(LISTENING).await;
    process
}

#[tokio::test]
#[ignore = "not a test, but the process that the other tests start"]
async fn server_process() {
    let Ok(address) = env::var(ADDRESS) else {
        return;
    };
    let _server = Server::start_at(&address, NOWHERE, None).await;
    println!("{LISTENING}");
    future::pending::<()>().await;
}
