//! What is measured, in processes of its own, all of which end with this value.
//!
//! - [`program`]: a child process.
//! - [`usage`]: what the system says of the CPU time and the memory of a process.
//! - [`resp`]: Redis's protocol. [`counters`]: what Redis says of itself.

mod counters;
mod program;
pub(crate) mod resp;
pub(crate) mod usage;

use std::env;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use api::health::HealthCheckRequest;
use api::health::health_check_response::ServingStatus;
use api::health::health_client::HealthClient;
use redis_server::{Options, RedisServer};
use tempfile::TempDir;
use tokio::time::sleep;
use tonic::transport::{Channel, Endpoint};

use crate::Result;
use crate::settings::Settings;
pub(crate) use counters::{Counters, RedisCounters};
pub(crate) use program::Program;

/// How long a service may take to serve.
const PATIENCE: Duration = Duration::from_secs(10);
/// How finely the time until it serves is measured.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);
/// How many answers of 50 KiB are on their way on one connection. The default of 64 KiB in all would let
/// large answers wait for the generator.
const RECEIVE_WINDOW: u32 = 4 * 1024 * 1024;

/// The password of the owner, for as long as the run lasts.
pub(crate) const OWNER_PASSWORD: &str = "vier worte am see";
/// How the owner signs in.
pub(crate) const OWNER_EMAIL: &str = "owner@example.org";

/// A private Redis, and both services on it.
pub(crate) struct Stack {
    pub(crate) admin: Server,
    pub(crate) user: Server,
    pub(crate) redis: RedisServer,
    /// Where the children keep what they write. Removed at the end.
    folder: TempDir,
}

/// A server that answers gRPC.
pub(crate) struct Server {
    pub(crate) program: Program,
    /// `http://host:port`
    pub(crate) url: String,
}

impl Stack {
    /// Starts Redis as the system of record that the services ask for, and both services with the
    /// settings that they have by default. Returns once both are ready.
    pub(crate) async fn start(settings: &Settings) -> Result<Self> {
        fs::create_dir_all(&settings.out)?;
        let folder = tempfile::Builder::new()
            .prefix("data-")
            .tempdir_in(&settings.out)?;
        let redis = start_redis(
            folder.path().join("redis"),
            store::ACL_TEMPLATE,
            // A rewrite of the file would fall into one line or another by chance. In service it comes each
            // time the file has doubled.
            &[("auto-aof-rewrite-percentage", "0")],
        )?;
        let password = folder.path().join("owner-password");
        fs::write(&password, OWNER_PASSWORD)?;
        let programs = settings.programs.clone().map_or_else(beside_us, Ok)?;
        let (admin_port, user_port) = (free_port()?, free_port()?);

        let service = |name: &str, port: u16, peer: u16| -> Result<Command> {
            let url = redis
                .url_for(name)
                .ok_or("the ACL has no user for a service")?;
            let mut command = Command::new(programs.join(name));
            command
                .args(["--listen", &format!("127.0.0.1:{port}")])
                .args(["--redis-url", &url])
                .args(["--peer-url", &format!("http://127.0.0.1:{peer}")]);
            Ok(command)
        };
        let mut admin = service("admin-service", admin_port, user_port)?;
        admin.args(["--owner-email", OWNER_EMAIL, "--owner-password-file"]);
        admin.arg(&password);
        let user = service("user-service", user_port, admin_port)?;
        Ok(Self {
            admin: Server::start(admin, admin_port, folder.path()).await?,
            user: Server::start(user, user_port, folder.path()).await?,
            redis,
            folder,
        })
    }

    /// Starts another Redis, set up like the first one, with one user of this name who may do anything.
    pub(crate) fn another_redis(&self, user: &str) -> Result<RedisServer> {
        let place = user.to_uppercase();
        let acl = format!("user default off\nuser {user} on #@{place}_SHA256@ +@all ~* &*");
        start_redis(self.folder.path().join(user), &acl, &[])
    }

    /// A folder that is gone at the end.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Server {
    /// Starts it, and returns once it is ready to serve.
    async fn start(command: Command, port: u16, logs: &Path) -> Result<Self> {
        let mut server = Self {
            program: Program::start(command, logs)?,
            url: format!("http://127.0.0.1:{port}"),
        };
        let give_up = Instant::now() + PATIENCE;
        while !server.is_ready().await {
            if Instant::now() > give_up || !server.program.is_running() {
                return Err(server.program.complaint().into());
            }
            sleep(BETWEEN_LOOKS).await;
        }
        Ok(server)
    }

    /// Ends it and starts it again; answers how long it took from its start until it was ready.
    pub(crate) async fn restart(&mut self) -> Result<Duration> {
        self.program.restart()?;
        let began_at = Instant::now();
        while !self.is_ready().await {
            if began_at.elapsed() > PATIENCE {
                return Err(self.program.complaint().into());
            }
            sleep(BETWEEN_LOOKS).await;
        }
        Ok(began_at.elapsed())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }

    async fn is_ready(&self) -> bool {
        let Ok(channel) = self.connect().await else {
            return false;
        };
        let asked = HealthCheckRequest {
            service: "readiness".to_owned(),
        };
        let answer = HealthClient::new(channel).check(asked).await;
        answer.is_ok_and(|health| health.get_ref().status() == ServingStatus::Serving)
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self) -> Result<Channel> {
        connect(&self.url).await
    }
}

/// Opens a connection, set up as all connections of the generator are.
pub(crate) async fn connect(url: &str) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned())?
        .tcp_nodelay(true)
        .initial_stream_window_size(RECEIVE_WINDOW)
        .initial_connection_window_size(RECEIVE_WINDOW);
    Ok(endpoint.connect().await?)
}

fn start_redis(data_dir: PathBuf, acl: &str, settings: &[(&str, &str)]) -> Result<RedisServer> {
    let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    let started = RedisServer::start(Options {
        data_dir,
        acl: acl.to_owned(),
        settings: settings.iter().map(own).collect(),
        ..Options::default()
    });
    started.map_err(|error| format!("Redis cannot be started: {error}").into())
}

/// The folder of this program: `target/release` when cargo built it.
fn beside_us() -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    Ok(program.parent().map(Path::to_owned).unwrap_or_default())
}

/// A port that is free now, and perhaps a moment later.
pub(crate) fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
