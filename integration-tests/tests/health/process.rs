//! A server in a process of its own, so that it can be stopped and killed.

use std::{
    env, future,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::server::{NOWHERE, Server};

const ADDRESS: &str = "STARTLIST_TEST_HEALTH_ADDRESS";
const LISTENING: &str = "listening";

/// A server whose Redis and peer are nowhere: of its health only the base is up. It ends with this
/// value.
pub(crate) struct ServerProcess {
    process: Child,
}

impl ServerProcess {
    /// Starts it at that address; returns when it is up.
    pub(crate) fn start(address: &str) -> Self {
        let mut process = Command::new(env::current_exe().expect("this program"))
            .args([
                "process::a_server_of_its_own",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env(ADDRESS, address)
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program runs");
        let said = BufReader::new(process.stdout.take().expect("its output")).lines();
        let mut said = said.map(|line| line.expect("a line"));
        assert!(
            said.any(|line| line.contains(LISTENING)),
            "the server at {address} did not start"
        );
        Self { process }
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("its end");
    }

    /// SIGSTOP: its sockets are open, and nobody answers.
    pub(crate) fn stop(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// SIGCONT.
    pub(crate) fn go_on(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.process.id().try_into().expect("a pid"));
        kill(pid, signal).expect("signalled");
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
#[ignore = "no test: the process that the other tests start"]
async fn a_server_of_its_own() {
    let Ok(address) = env::var(ADDRESS) else {
        return;
    };
    let _server = Server::start_at(&address, NOWHERE, None).await;
    println!("{LISTENING}");
    future::pending::<()>().await;
}
