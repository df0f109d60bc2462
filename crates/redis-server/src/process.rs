//! The server as a child process, and the watchdog that ends it when this process is killed.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// How long to wait for a server to end after SIGTERM. It loses nothing if it is killed then: with
/// `appendfsync always` every write that it acknowledged is on disk.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// A server process with its watchdog.
#[derive(Debug)]
pub(crate) struct Process {
    server: Child,
    watchdog: Child,
}

impl Process {
    /// Starts the first of these programs that exists.
    pub(crate) fn start(
        programs: &[PathBuf],
        arguments: &[String],
        folder: &Path,
        input: impl Fn() -> io::Result<Stdio>,
        log: &File,
    ) -> io::Result<Self> {
        for program in programs {
            let mut command = Command::new(program);
            command
                .args(arguments)
                .current_dir(folder)
                .stdin(input()?)
                .stdout(log.try_clone()?)
                .stderr(log.try_clone()?)
                // Without a process group of its own the server would get the Ctrl-C of the
                // terminal too, but this process needs it until the last call has finished.
                .process_group(0);
            match command.spawn() {
                Ok(server) => return Self::with_watchdog(server),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let names: Vec<_> = programs
            .iter()
            .map(|program| program.display().to_string())
            .collect();
        let missing = format!("there is no {}", names.join(" and no "));
        Err(io::Error::new(io::ErrorKind::NotFound, missing))
    }

    fn with_watchdog(mut server: Child) -> io::Result<Self> {
        // A server that is stopped by SIGSTOP handles the SIGTERM only after SIGCONT.
        let watch = r#"read -r _; kill -TERM "$1"; kill -CONT "$1""#;
        let watchdog = Command::new("sh")
            .args(["-c", watch, "sh", &server.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match watchdog {
            Ok(watchdog) => Ok(Self { server, watchdog }),
            Err(error) => {
                kill(&mut server);
                Err(error)
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.server.id()
    }

    /// Returns the exit status if the server has ended.
    pub(crate) fn exit_status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.server.try_wait()
    }

    /// Sends SIGSTOP and waits until the server has stopped.
    pub(crate) fn freeze(&mut self) -> io::Result<()> {
        self.signal(Signal::SIGSTOP)?;
        waitpid(pid_of(&self.server)?, Some(WaitPidFlag::WUNTRACED))?;
        Ok(())
    }

    /// Sends a signal. Fails if the server has ended, because another process may have its pid now.
    pub(crate) fn signal(&mut self, signal: Signal) -> io::Result<()> {
        match self.exit_status()? {
            None => Ok(signal::kill(pid_of(&self.server)?, signal)?),
            Some(status) => Err(io::Error::other(format!("the server has ended: {status}"))),
        }
    }

    /// Sends SIGTERM, and SIGKILL if the server has not ended after 10 s. Returns once it has
    /// ended.
    pub(crate) fn stop(mut self) -> io::Result<()> {
        if self.exit_status()?.is_some() {
            return Ok(());
        }
        self.signal(Signal::SIGTERM)?;
        // A frozen server would not handle the SIGTERM.
        let _ = self.signal(Signal::SIGCONT);
        let give_up = Instant::now() + STOP_TIMEOUT;
        while self.exit_status()?.is_none() && Instant::now() < give_up {
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The watchdog first: once the server has ended, another process may get its pid.
        kill(&mut self.watchdog);
        kill(&mut self.server);
    }
}

/// Kills a child, which may have ended already, and waits for it.
fn kill(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn pid_of(child: &Child) -> io::Result<Pid> {
    i32::try_from(child.id())
        .map(Pid::from_raw)
        .map_err(io::Error::other)
}
