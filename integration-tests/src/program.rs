//! The real binaries.

use std::env;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::eventually;

/// A binary that runs. It is killed when it is dropped.
pub struct Program {
    child: Child,
    said: Reading,
    logged: Reading,
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` = a signal ended it.
    pub code: Option<i32>,
    /// All of its standard output.
    pub said: String,
    /// All of its standard error.
    pub logged: String,
}

impl Program {
    /// Starts a binary of this workspace with these arguments and these environment variables. Settings
    /// of the machine that the tests run on are not handed on.
    #[must_use]
    pub fn start(name: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let binary = path_of(name);
        assert!(
            binary.exists(),
            "{} is not there: build it first, with cargo build --workspace --bins",
            binary.display()
        );
        let mut command = Command::new(binary);
        for (variable, _) in env::vars_os() {
            let name = variable.to_string_lossy();
            if name.starts_with("STARTLIST_") {
                command.env_remove(&variable);
            }
        }
        let mut child = command
            .args(arguments)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let said = Reading::begin(child.stdout.take().expect("its output"));
        let logged = Reading::begin(child.stderr.take().expect("its log"));
        Self {
            child,
            said,
            logged,
        }
    }

    /// Waits until it has said this on standard output.
    pub async fn wait_until_said(&self, words: &str) {
        eventually(words, async || self.said.so_far().contains(words)).await;
    }

    /// Waits until it has logged this on standard error.
    pub async fn wait_until_logged(&self, words: &str) {
        eventually(words, async || self.logged.so_far().contains(words)).await;
    }

    /// What it said on standard output until now.
    #[must_use]
    pub fn said(&self) -> String {
        self.said.so_far()
    }

    /// What it logged on standard error until now.
    #[must_use]
    pub fn logged(&self) -> String {
        self.logged.so_far()
    }

    /// The address in the first line of its log that holds these words.
    #[must_use]
    pub fn address_in_the_log(&self, words: &str) -> String {
        let logged = self.logged();
        let line = logged.lines().find(|line| line.contains(words));
        let address = line.and_then(|line| line.split("address").nth(1));
        // As text it is `address=…`, as JSON `"address":"…"`.
        let address = address.map(|rest| rest.trim_start_matches(['=', '"', ':']));
        let address = address.and_then(|rest| rest.split([' ', '"', ',']).next());
        address.expect("a line with an address").to_owned()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        let pid = self.child.id().expect("it runs");
        pid.try_into().expect("a pid")
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("it runs");
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> Ended {
        let status = self.child.wait().await.expect("its end");
        Ended {
            code: status.code(),
            said: self.said.all().await,
            logged: self.logged.all().await,
        }
    }
}

/// Beside the tests: `target/debug/deps/it-…` is one of those.
fn path_of(name: &str) -> PathBuf {
    let test = env::current_exe().expect("this program");
    let folder = test.ancestors().nth(2).expect("a target folder");
    folder.join(name)
}

/// What comes out of a program, read as it comes.
struct Reading {
    so_far: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Reading {
    fn begin(mut output: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let so_far = Arc::<Mutex<String>>::default();
        let reader = tokio::spawn({
            let so_far = Arc::clone(&so_far);
            async move {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = output.read(&mut bytes).await {
                    let text = String::from_utf8_lossy(&bytes[..count]);
                    so_far
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push_str(&text);
                }
            }
        });
        Self { so_far, reader }
    }

    fn so_far(&self) -> String {
        self.so_far
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn all(self) -> String {
        self.reader.await.expect("no panic");
        let text = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        text.clone()
    }
}
