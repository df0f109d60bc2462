//! A child process that ends with its value, and also when the benchmark is killed.
//!
//! `testkit::Program` reads what its child prints. Here that would cost the generator CPU time for
//! each line that a service logs, so the log goes to a file.

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::result::Result;

pub(crate) struct ChildProcess {
    command: Command,
    /// The file with its stderr.
    log: PathBuf,
    child: Child,
    watchdog: Child,
}

impl ChildProcess {
    /// Starts the command. Its stderr goes to a file in `logs`.
    pub(crate) fn start(mut command: Command, logs: &Path) -> Result<Self> {
        // The services are measured with their defaults, not with the settings of this shell.
        for (variable, _) in env::vars_os() {
            if variable.to_string_lossy().starts_with("STARTLIST_") {
                command.env_remove(variable);
            }
        }
        // A process group of its own, so that Ctrl-C reaches only the benchmark, which ends the
        // others.
        command.process_group(0).stdin(Stdio::null());
        let name = Path::new(command.get_program()).file_name();
        let log = logs.join(name.unwrap_or_default()).with_extension("log");
        let child = spawn(&mut command, &log)?;
        Ok(Self {
            watchdog: watch(&child)?,
            command,
            log,
            child,
        })
    }

    /// Kills the process and starts the same command again.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.kill();
        self.child = spawn(&mut self.command, &self.log)?;
        self.watchdog = watch(&self.child)?;
        Ok(())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its stdout; `None` after the first call.
    pub(crate) fn stdout(&mut self) -> Option<impl io::Read + use<>> {
        self.child.stdout.take()
    }

    /// Says that the program does not serve, with the last line of its log.
    pub(crate) fn startup_error(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let last = log.lines().last().unwrap_or("its log is empty");
        let program = self.command.get_program().display();
        format!("{program} does not serve: {last}")
    }

    fn kill(&mut self) {
        // First the watchdog: the pid of the child can be reused once it has been waited for.
        for process in [&mut self.watchdog, &mut self.child] {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(command: &mut Command, log: &Path) -> Result<Child> {
    command.stdout(Stdio::piped()).stderr(File::create(log)?);
    let child = command.spawn();
    let program = command.get_program().display();
    child.map_err(|error| format!("cannot start {program}: {error}").into())
}

/// Starts a process that kills the child when the benchmark has ended, even by SIGKILL.
fn watch(child: &Child) -> Result<Child> {
    // `read` returns when the pipe is closed, and only the benchmark holds it open.
    let script = r#"read -r _; kill -KILL "$1""#;
    let watchdog = Command::new("sh")
        .args(["-c", script, "sh", &child.id().to_string()])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(watchdog)
}
