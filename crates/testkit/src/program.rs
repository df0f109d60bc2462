//! Child processes with captured output.

use std::env;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::eventually;

/// A running child process. It is killed when it is dropped.
pub struct Program {
    child: Child,
    stdout: Output,
    stderr: Output,
}

/// How a program ended.
#[derive(Debug)]
pub struct Exit {
    /// The exit code; `None` if a signal ended the program.
    pub code: Option<i32>,
    /// Its whole standard output.
    pub stdout: String,
    /// Its whole standard error.
    pub stderr: String,
}

impl Program {
    /// Starts a binary of this workspace with these arguments and environment variables.
    #[must_use]
    pub fn start(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let binary = path_of(name);
        assert!(
            binary.exists(),
            "{} is missing; build it with cargo build --workspace --bins",
            binary.display()
        );
        let mut command = Command::new(binary);
        command.args(arguments).envs(environment.iter().copied());
        Self::spawn(command)
    }

    /// Starts this command. It does not inherit variables `STARTLIST_...`, so that the settings of
    /// the person who runs the tests do not change them.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        let given: Vec<_> = command
            .as_std()
            .get_envs()
            .map(|(name, _)| name.to_owned())
            .collect();
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("STARTLIST_") && !given.contains(&name) {
                command.env_remove(&name);
            }
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let stdout = Output::capture(child.stdout.take().expect("a pipe"));
        let stderr = Output::capture(child.stderr.take().expect("a pipe"));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// Waits until its standard output contains this text.
    pub async fn wait_for_stdout(&self, text: &str) {
        self.stdout.wait_for(text).await;
    }

    /// Waits until its standard error, to which the services log, contains this text.
    pub async fn wait_for_stderr(&self, text: &str) {
        self.stderr.wait_for(text).await;
    }

    /// Its standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.text().clone()
    }

    /// Its standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.text().clone()
    }

    /// The value of `address` in the first line of its log that contains this text.
    #[must_use]
    pub fn logged_address(&self, text: &str) -> String {
        let log = self.stderr();
        let line = log.lines().find(|line| line.contains(text));
        let address = line.and_then(|line| line.split("address").nth(1));
        // The text format has `address=...`, the JSON format `"address":"..."`.
        let address = address.map(|rest| rest.trim_start_matches(['=', '"', ':']));
        let address = address.and_then(|rest| rest.split([' ', '"', ',']).next());
        address.expect("a line with an address").to_owned()
    }

    /// Its process id. Panics if it has ended.
    #[must_use]
    pub fn pid(&self) -> i32 {
        let pid = self.child.id().expect("the program is running");
        pid.try_into().expect("a valid process id")
    }

    /// Sends a signal. Panics if it has ended.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("the program is running");
    }

    /// Waits until it ends.
    pub async fn exit(mut self) -> Exit {
        let status = self.child.wait().await.expect("an exit status");
        Exit {
            code: status.code(),
            stdout: self.stdout.all().await,
            stderr: self.stderr.all().await,
        }
    }
}

/// The binaries are two levels above the test: `target/debug/deps/it-...`.
fn path_of(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    let folder = test.ancestors().nth(2).expect("a target directory");
    folder.join(name)
}

/// The captured output of a program.
struct Output {
    text: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Output {
    fn capture(mut output: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let text = Arc::<Mutex<String>>::default();
        let captured = Arc::clone(&text);
        let reader = tokio::spawn(async move {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes).await {
                lock(&captured).push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Self { text, reader }
    }

    fn text(&self) -> MutexGuard<'_, String> {
        lock(&self.text)
    }

    async fn wait_for(&self, text: &str) {
        eventually(text, async || {
            // Read before the text: what the program wrote last is captured before the reader
            // finishes.
            let has_ended = self.reader.is_finished();
            let is_there = self.text().contains(text);
            assert!(
                is_there || !has_ended,
                "the program ended without {text:?}: {}",
                self.text()
            );
            is_there
        })
        .await;
    }

    async fn all(self) -> String {
        self.reader.await.expect("the reader does not panic");
        lock(&self.text).clone()
    }
}

fn lock(text: &Mutex<String>) -> MutexGuard<'_, String> {
    text.lock().unwrap_or_else(PoisonError::into_inner)
}
