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

pub(crate) struct Program {
    command: Command,
    name: String,
    /// Its stderr.
    log: PathBuf,
    process: Process,
}

impl Program {
    /// Starts the command. Its stderr goes to a file in `logs`.
    pub(crate) fn start(mut command: Command, logs: &Path) -> Result<Self> {
        let name = Path::new(command.get_program()).file_name();
        let name = name.unwrap_or_default().to_string_lossy().into_owned();
        // The services are measured with their defaults, not with the settings of this shell.
        for (variable, _) in env::vars_os() {
            if variable.to_string_lossy().starts_with("STARTLIST_") {
                command.env_remove(variable);
            }
        }
        // A process group of its own, so that Ctrl-C reaches only the benchmark, which ends the others.
        command.process_group(0).stdin(Stdio::null());
        let log = logs.join(format!("{name}.log"));
        let process = Process::start(&mut command, &name, &log)?;
        Ok(Self {
            command,
            name,
            log,
            process,
        })
    }

    /// Kills the process and starts the same command again.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.process.kill();
        self.process = Process::start(&mut self.command, &self.name, &self.log)?;
        Ok(())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.process.child.try_wait(), Ok(None))
    }

    /// Its stdout; `None` after the first call.
    pub(crate) fn stdout(&mut self) -> Option<impl io::Read + use<>> {
        self.process.child.stdout.take()
    }

    /// Says that the program does not serve, with the last line of its log.
    pub(crate) fn startup_error(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let last = log.lines().last().unwrap_or("its log is empty");
        format!("{} does not serve: {last}", self.name)
    }
}

struct Process {
    child: Child,
    /// Kills the child when the benchmark has ended, even by SIGKILL.
    watchdog: Child,
}

impl Process {
    fn start(command: &mut Command, name: &str, log: &Path) -> Result<Self> {
        command.stdout(Stdio::piped()).stderr(File::create(log)?);
        let child = command
            .spawn()
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        // `read` returns when the pipe is closed, and only the benchmark holds it open.
        let script = r#"read -r _; kill -KILL "$1""#;
        let watchdog = Command::new("sh")
            .args(["-c", script, "sh", &child.id().to_string()])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, watchdog })
    }

    fn kill(&mut self) {
        // First the watchdog: the pid of the child can be reused once it has been waited for.
        for process in [&mut self.watchdog, &mut self.child] {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
