//! A running server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::Options;
use crate::folder::Folder;
use crate::ping::{self, Readiness};
use crate::process::Process;
use crate::users::Users;

/// The most ports to try. Another process can take a free port before the server does.
const MAX_PORTS: usize = 10;
/// How long to wait for a server that does not reply at all. A server that loads its data replies,
/// and is waited for.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for the port on a restart. A client that tried to connect can have got it as
/// its own local port for a moment.
const PORT_TIMEOUT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// A server on 127.0.0.1, set up as a system of record: every write that it acknowledged is on
/// disk. Dropping it kills the process, which loses no such write.
///
/// The methods block, for some 20 ms plus the time that loading the data takes.
#[derive(Debug)]
pub struct RedisServer {
    process: Option<Process>,
    port: u16,
    users: Users,
    folder: Folder,
    programs: Vec<PathBuf>,
    settings: Vec<(String, String)>,
}

impl RedisServer {
    /// Starts a server, and returns once it is ready.
    ///
    /// Fails with `NotFound` if the program does not exist, `InvalidInput` if the ACL has no
    /// placeholder for a password, `ResourceBusy` if another server uses the folder, and with the
    /// last lines of the server's log if the server ends.
    pub fn start(options: Options) -> io::Result<Self> {
        let users = Users::render(&options.acl, &options.passwords)?;
        let folder = Folder::open(&options.data_dir)?;
        let from_path = || vec!["redis-server".into(), "valkey-server".into()];
        let mut server = Self {
            process: None,
            port: 0,
            users,
            folder,
            programs: options
                .program
                .map_or_else(from_path, |program| vec![program]),
            settings: options.settings,
        };
        let mut tries = 0;
        loop {
            tries += 1;
            server.port = free_port()?;
            match server.run() {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < MAX_PORTS => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(server),
            }
        }
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Returns the URL with the name and the password of this user; `None` if the user has no
    /// password. The password is not escaped, so a given one must not need it.
    #[must_use]
    pub fn url_for(&self, user: &str) -> Option<String> {
        let password = self.users.password_of(user)?;
        Some(format!("redis://{user}:{password}@{}", self.address()))
    }

    /// Returns the process id; `None` if the server was killed or stopped.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Whether the process runs, frozen or not.
    pub fn is_running(&mut self) -> bool {
        match &mut self.process {
            Some(process) => matches!(process.exit_status(), Ok(None)),
            None => false,
        }
    }

    /// Sends SIGKILL and waits for the end of the process.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Sends SIGTERM, and SIGKILL if the process has not ended after 10 s. Returns once it has
    /// ended.
    pub fn stop(&mut self) -> io::Result<()> {
        self.folder.remove_address()?;
        self.process.take().map_or(Ok(()), Process::stop)
    }

    /// Sends SIGSTOP: the server keeps its connections but does not reply. Returns once it has
    /// stopped.
    pub fn freeze(&mut self) -> io::Result<()> {
        self.process()?.freeze()
    }

    /// Sends SIGCONT: a frozen server continues.
    pub fn thaw(&mut self) -> io::Result<()> {
        self.process()?.signal(Signal::SIGCONT)
    }

    /// Starts the server again with the same port, data and passwords, after stopping it if it
    /// runs. Returns once it is ready.
    pub fn restart(&mut self) -> io::Result<()> {
        self.stop()?;
        let give_up = Instant::now() + PORT_TIMEOUT;
        loop {
            match self.run() {
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < give_up =>
                {
                    thread::sleep(POLL_INTERVAL);
                }
                ended => return ended,
            }
        }
    }

    fn process(&mut self) -> io::Result<&mut Process> {
        let not_running = || io::Error::other("the server is not running");
        self.process.as_mut().ok_or_else(not_running)
    }

    /// Starts the process and waits until it is ready.
    fn run(&mut self) -> io::Result<()> {
        let arguments = self.arguments()?;
        let log = self.folder.new_log()?;
        let lock = || self.folder.lock_for_child();
        let process = Process::start(&self.programs, &arguments, self.folder.path(), lock, &log)?;
        self.process = Some(process);
        let address = self.address();
        let started = self
            .wait_until_ready()
            .and_then(|()| self.folder.write_address(address));
        if started.is_err() {
            self.kill();
        }
        started
    }

    fn arguments(&self) -> io::Result<Vec<String>> {
        let acl = self.folder.write("users.acl", &self.users.file)?;
        let port = self.port.to_string();
        let acl = acl.display().to_string();
        let system_of_record = [
            ("port", port.as_str()),
            ("bind", "127.0.0.1"),
            ("dir", "."),
            ("aclfile", &acl),
            ("daemonize", "no"),
            ("appendonly", "yes"),
            ("appendfsync", "always"),
            ("save", ""),
            ("maxmemory-policy", "noeviction"),
        ];
        let more = self
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let settings = system_of_record.into_iter().chain(more);
        Ok(settings
            .flat_map(|(name, value)| [format!("--{name}"), value.to_owned()])
            .collect())
    }

    fn wait_until_ready(&mut self) -> io::Result<()> {
        let address = self.address();
        let mut give_up = Instant::now() + START_TIMEOUT;
        while Instant::now() < give_up {
            if !self.is_running() {
                return Err(self.startup_error());
            }
            let (user, password) = self.users.any().unwrap_or_default();
            match ping::check(address, user, password) {
                Readiness::Ready => return Ok(()),
                Readiness::Loading => give_up = Instant::now() + START_TIMEOUT,
                Readiness::NotReady => {}
            }
            thread::sleep(POLL_INTERVAL);
        }
        let log = self.folder.log_path();
        let sentence = format!("the server does not reply; its log is {}", log.display());
        Err(io::Error::new(io::ErrorKind::TimedOut, sentence))
    }

    fn startup_error(&self) -> io::Error {
        let log = self.folder.log();
        let is_port_taken = log.contains("Address already in use");
        let kind = if is_port_taken {
            io::ErrorKind::AddrInUse
        } else {
            io::ErrorKind::Other
        };
        let lines: Vec<_> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(3)..].join("; ");
        io::Error::new(kind, format!("the server ended: {last}"))
    }
}

/// Returns a port that is free at the moment.
fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
