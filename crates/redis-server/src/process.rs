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

/// How long a server may take to end by itself. It has nothing left to write: with `appendfsync always`
/// all that it answered is on disk.
const LONGEST_END: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// A server that was started.
#[derive(Debug)]
pub(crate) struct Process {
    server: Child,
    watchdog: Child,
}

impl Process {
    /// Starts the first of these programs that there is.
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
                // A group of its own: Ctrl-C in a terminal is for this process, which needs the server
                // until the last call has finished.
                .process_group(0);
            match command.spawn() {
                Ok(server) => return Self::watched(server),
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

    fn watched(mut server: Child) -> io::Result<Self> {
        // A stopped server takes the SIGTERM once it goes on.
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
                end(&mut server);
                Err(error)
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.server.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.server.try_wait()
    }

    /// SIGSTOP. Returns once the server stands still.
    pub(crate) fn freeze(&mut self) -> io::Result<()> {
        self.signal(Signal::SIGSTOP)?;
        waitpid(pid_of(&self.server)?, Some(WaitPidFlag::WUNTRACED))?;
        Ok(())
    }

    /// Fails if the server has ended: its pid may be another's by now.
    pub(crate) fn signal(&mut self, signal: Signal) -> io::Result<()> {
        match self.ended()? {
            None => Ok(signal::kill(pid_of(&self.server)?, signal)?),
            Some(status) => Err(io::Error::other(format!("the server has ended: {status}"))),
        }
    }

    /// SIGTERM, and SIGKILL after 10 s. Returns once the server has ended.
    pub(crate) fn stop(mut self) -> io::Result<()> {
        if self.ended()?.is_some() {
            return Ok(());
        }
        self.signal(Signal::SIGTERM)?;
        // It may stand still, and would not notice.
        let _ = self.signal(Signal::SIGCONT);
        let give_up = Instant::now() + LONGEST_END;
        while self.ended()?.is_none() && Instant::now() < give_up {
            thread::sleep(BETWEEN_LOOKS);
        }
        Ok(())
    }
}

/// SIGKILL for what still runs.
impl Drop for Process {
    fn drop(&mut self) {
        // First the watchdog: once the server has ended, its pid may become another's.
        end(&mut self.watchdog);
        end(&mut self.server);
    }
}

/// Kills a child that may have ended already, and takes notice of its end.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn pid_of(child: &Child) -> io::Result<Pid> {
    i32::try_from(child.id())
        .map(Pid::from_raw)
        .map_err(io::Error::other)
}
