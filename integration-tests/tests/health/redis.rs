//! A Redis of the test's own, as user-service sees it.

use std::net::{Ipv4Addr, TcpListener};

use redis_server::{Options, RedisServer};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Who may look into it, and change what others may.
const TEST_USER: &str = "user test on #@TEST_SHA256@ ~* &* +@all";
const SERVICE_USER: &str = "user-service";
const PASSWORD: &str = "test";

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// A Redis that answers. It ends with this value.
pub(crate) struct Redis {
    server: RedisServer,
    _folder: TempDir,
}

impl Redis {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = RedisServer::start(Options {
            data_dir: folder.path().to_owned(),
            acl: format!("{}\n{TEST_USER}\n", store::ACL_TEMPLATE),
            passwords: vec![("test".to_owned(), PASSWORD.to_owned())],
            ..Options::default()
        });
        Self {
            server: server.expect("a Redis"),
            _folder: folder,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url_for(SERVICE_USER).expect("a password")
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again on the same port; returns when it answers.
    pub(crate) fn restart(&mut self) {
        self.server.restart().expect("it starts again");
    }

    /// SIGSTOP: it is there, and answers nobody.
    pub(crate) fn stop(&mut self) {
        self.server.freeze().expect("stopped");
    }

    /// SIGCONT.
    pub(crate) fn go_on(&mut self) {
        self.server.thaw().expect("continued");
    }

    /// From now on it answers a PING with an error, as it does while it loads or cannot write.
    pub(crate) async fn refuse_pings(&self) {
        self.ask(&format!("ACL SETUSER {SERVICE_USER} clearselectors -ping"))
            .await;
    }

    /// How many PINGs it has answered since it started.
    pub(crate) async fn pings(&self) -> u64 {
        let answer = self.ask("INFO commandstats").await;
        let line = answer
            .lines()
            .find(|line| line.starts_with("cmdstat_ping:"));
        let calls = line.and_then(|line| line.split(['=', ',']).nth(1));
        calls.map_or(0, |calls| calls.parse().expect("a number"))
    }

    /// What it answers to one command, on a connection of its own.
    async fn ask(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(self.server.address())
            .await
            .expect("a connection");
        let commands = format!("AUTH test {PASSWORD}\r\n{command}\r\nQUIT\r\n");
        stream.write_all(commands.as_bytes()).await.expect("sent");
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.expect("answers");
        assert!(
            !answers.contains("-ERR") && !answers.contains("-NOPERM"),
            "{answers}"
        );
        answers
    }
}
