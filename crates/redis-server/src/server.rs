//! The server while it runs.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::Options;
use crate::answer::{Answer, ask};
use crate::folder::Folder;
use crate::process::Process;
use crate::users::Users;

/// How often a port is tried that somebody else took in the moment in which it was free.
const MOST_PORTS: usize = 10;
/// How long a server may say nothing at all. One that reads its data says so, and may take its time.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);
/// How long the port of a server that is started again may be in use: a client that looked for it
/// can have got it as its own.
const LONGEST_PORT_IN_USE: Duration = Duration::from_secs(5);
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// A server on 127.0.0.1, set up as a system of record: what it has answered is on disk. Dropping it
/// kills it, and loses nothing.
///
/// All methods block, for some 20 ms and for as long as the data takes to be read.
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
    /// Starts a server, and returns once it answers.
    ///
    /// Fails with `NotFound` if there is no program, `InvalidInput` if the ACL has no place for a password,
    /// `ResourceBusy` if another server uses the folder, and with the last lines of the server's log if the
    /// server ends.
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
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < MOST_PORTS => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(server),
            }
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its URL with the name and the password of this user; `None` = the ACL has no password for one. A
    /// given password stands in it as it is, so it must need no escaping.
    #[must_use]
    pub fn url_for(&self, user: &str) -> Option<String> {
        let password = self.users.password_of(user)?;
        Some(format!("redis://{user}:{password}@{}", self.address()))
    }

    /// Its process; `None` = it was killed or stopped.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Whether its process runs, frozen or not. False if it has ended by itself.
    pub fn is_running(&mut self) -> bool {
        match &mut self.process {
            Some(process) => matches!(process.ended(), Ok(None)),
            None => false,
        }
    }

    /// SIGKILL. Returns once it has ended.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// SIGTERM, and SIGKILL if it does not end within 10 s. Returns once it has ended.
    pub fn stop(&mut self) -> io::Result<()> {
        self.folder.forget_address()?;
        self.process.take().map_or(Ok(()), Process::stop)
    }

    /// SIGSTOP: it keeps its connections and answers nobody. Returns once it stands still.
    pub fn freeze(&mut self) -> io::Result<()> {
        self.process()?.freeze()
    }

    /// SIGCONT: it goes on.
    pub fn thaw(&mut self) -> io::Result<()> {
        self.process()?.signal(Signal::SIGCONT)
    }

    /// Starts it again, on the same port and data and with the same passwords, and returns once it
    /// answers. One that runs is stopped first.
    pub fn restart(&mut self) -> io::Result<()> {
        self.stop()?;
        let give_up = Instant::now() + LONGEST_PORT_IN_USE;
        loop {
            match self.run() {
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < give_up =>
                {
                    thread::sleep(BETWEEN_LOOKS);
                }
                ended => return ended,
            }
        }
    }

    fn process(&mut self) -> io::Result<&mut Process> {
        let ended = || io::Error::other("the server was ended");
        self.process.as_mut().ok_or_else(ended)
    }

    /// Starts the process and waits until it answers.
    fn run(&mut self) -> io::Result<()> {
        let arguments = self.arguments()?;
        let log = self.folder.new_log()?;
        let lock = || self.folder.lock_for_child();
        let process = Process::start(&self.programs, &arguments, self.folder.path(), lock, &log)?;
        self.process = Some(process);
        let address = self.address();
        let answered = self
            .wait_until_it_answers()
            .and_then(|()| self.folder.write_address(address));
        if answered.is_err() {
            self.kill();
        }
        answered
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

    fn wait_until_it_answers(&mut self) -> io::Result<()> {
        let address = self.address();
        let mut give_up = Instant::now() + LONGEST_SILENCE;
        while Instant::now() < give_up {
            if !self.is_running() {
                return Err(self.why_it_ended());
            }
            let (user, password) = self.users.any().unwrap_or_default();
            match ask(address, user, password) {
                Answer::Ready => return Ok(()),
                Answer::Loading => give_up = Instant::now() + LONGEST_SILENCE,
                Answer::Nothing => {}
            }
            thread::sleep(BETWEEN_LOOKS);
        }
        let log = self.folder.log_path();
        let silent = format!("the server does not answer; its log is {}", log.display());
        Err(io::Error::new(io::ErrorKind::TimedOut, silent))
    }

    fn why_it_ended(&self) -> io::Error {
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

/// A port that is free now, and perhaps a moment later.
fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
