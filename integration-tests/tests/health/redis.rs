//! A Redis of the test's own.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::client::eventually;

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// A `redis-server` that keeps nothing. It ends with this value.
pub(crate) struct Redis {
    port: u16,
    process: Child,
    _folder: TempDir,
}

impl Redis {
    /// Returns when it answers.
    pub(crate) async fn start() -> Self {
        // Somebody else may take the port in between; then the process ends at once.
        for _ in 0..10 {
            let mut redis = Self::spawn(free_port());
            if redis.answers().await {
                return redis;
            }
        }
        panic!("redis-server does not start")
    }

    fn spawn(port: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no"])
            .current_dir(&folder)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        Self {
            port,
            process,
            _folder: folder,
        }
    }

    async fn answers(&mut self) -> bool {
        loop {
            if self.process.try_wait().expect("its state").is_some() {
                return false;
            }
            if self.is_up().await {
                return true;
            }
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("its end");
    }

    /// Starts it again on the same port.
    pub(crate) async fn restart(&mut self) {
        self.kill();
        eventually("Redis is back", async || {
            if self.process.try_wait().expect("its state").is_some() {
                *self = Self::spawn(self.port);
            }
            self.is_up().await
        })
        .await;
    }

    /// Asked by ECHO: the PINGs are counted.
    async fn is_up(&self) -> bool {
        self.ask("ECHO up")
            .await
            .is_some_and(|answer| answer.contains("up"))
    }

    /// SIGSTOP: it is there, and answers nobody.
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

    /// From now on it answers a PING with an error, as it does while it loads or cannot write.
    pub(crate) async fn refuse_pings(&self) {
        self.ask("ACL SETUSER default -ping")
            .await
            .expect("an answer");
    }

    /// How many PINGs it has answered since it started.
    pub(crate) async fn pings(&self) -> u64 {
        let answer = self.ask("INFO commandstats").await.expect("an answer");
        let Some(line) = answer
            .lines()
            .find(|line| line.starts_with("cmdstat_ping:"))
        else {
            return 0;
        };
        let calls = line.split(['=', ',']).nth(1).expect("calls");
        calls.parse().expect("a number")
    }

    /// One command on a connection of its own.
    async fn ask(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
            .await
            .ok()?;
        stream
            .write_all(format!("{command}\r\nQUIT\r\n").as_bytes())
            .await
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // A stopped process takes SIGKILL as well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
