//! A child process that ends with its value, and also when this process is killed.

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Result;

/// A child process.
pub(crate) struct Program {
    command: Command,
    name: String,
    /// Its stderr: for a service its log, a line for each call.
    log: PathBuf,
    children: Children,
}

struct Children {
    program: Child,
    /// Ends the program when this process has ended, however that came.
    watchdog: Child,
}

impl Program {
    /// Starts it. What it says on stderr goes to a file in this folder; its stdout is read with
    /// [`Program::stdout`].
    pub(crate) fn start(mut command: Command, logs: &Path) -> Result<Self> {
        let name = Path::new(command.get_program()).file_name();
        let name = name.unwrap_or_default().to_string_lossy().into_owned();
        // Settings of the person who measures would change what is measured.
        for (variable, _) in env::vars_os() {
            if variable.to_string_lossy().starts_with("STARTLIST_") {
                command.env_remove(variable);
            }
        }
        // A group of its own: Ctrl-C in a terminal is for this process, which ends the others.
        command.process_group(0).stdin(Stdio::null());
        let log = logs.join(format!("{name}.log"));
        let children = Children::start(&mut command, &name, &log)?;
        Ok(Self {
            command,
            name,
            log,
            children,
        })
    }

    /// Ends it and starts it again.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.children.end();
        self.children = Children::start(&mut self.command, &self.name, &self.log)?;
        Ok(())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.children.program.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.children.program.try_wait(), Ok(None))
    }

    /// What it says on stdout. Answers once.
    pub(crate) fn stdout(&mut self) -> Option<impl io::Read + use<>> {
        self.children.program.stdout.take()
    }

    /// What it said last, for a person who wonders why it does not serve.
    pub(crate) fn complaint(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let last = log.lines().last().unwrap_or("it said nothing");
        format!("{} does not serve: {last}", self.name)
    }
}

impl Children {
    fn start(command: &mut Command, name: &str, log: &Path) -> Result<Self> {
        command.stdout(Stdio::piped()).stderr(File::create(log)?);
        let program = command
            .spawn()
            .map_err(|error| format!("{name} cannot be started: {error}"))?;
        // It waits for the end of a pipe that only this process holds open.
        let watch = r#"read -r _; kill -KILL "$1""#;
        let watchdog = Command::new("sh")
            .args(["-c", watch, "sh", &program.id().to_string()])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { program, watchdog })
    }

    fn end(&mut self) {
        // First the watchdog: once the program has ended, its pid may become another's.
        for child in [&mut self.watchdog, &mut self.program] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.end();
    }
}
