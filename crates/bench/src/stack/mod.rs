//! The processes under test: a private Redis and both services. All of them end with [`Stack`].
//!
//! - [`GrpcServer`]: a gRPC server in a child process; [`bare`]: the bare tonic server.
//! - [`ChildProcess`]: a process that ends with its value.
//! - [`redis`]: starting Redis, and reading its counters.
//! - [`usage`]: the CPU time and the memory of processes.

pub(crate) mod bare;
mod child_process;
pub(crate) mod redis;
mod server;
pub(crate) mod usage;

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use redis_server::RedisServer;
use tempfile::TempDir;
use testkit::free_address;

pub(crate) use self::child_process::ChildProcess;
pub(crate) use self::redis::CounterReader;
pub(crate) use self::server::{GrpcServer, connect};
use crate::result::Result;
use crate::settings::Settings;

/// The owner, whom admin-service creates when it starts.
pub(crate) const OWNER_EMAIL: &str = "owner@example.org";
pub(crate) const OWNER_PASSWORD: &str = "vier worte am see";

pub(crate) struct Stack {
    // Dropped in this order: the services before Redis, and Redis before its data.
    pub(crate) admin: GrpcServer,
    pub(crate) user: GrpcServer,
    pub(crate) redis: RedisServer,
    folder: TempDir,
}

impl Stack {
    /// Starts Redis as a system of record and both services with their default settings, except that
    /// one account may make any number of changes. Returns when both are ready.
    pub(crate) async fn start(settings: &Settings) -> Result<Self> {
        fs::create_dir_all(&settings.out)?;
        let folder = tempfile::Builder::new()
            .prefix("data-")
            .tempdir_in(&settings.out)?;
        // A rewrite of the append-only file would fall into a random scenario. In production it
        // happens each time the file has doubled.
        let no_rewrite = [("auto-aof-rewrite-percentage", "0")];
        let redis = redis::start(
            folder.path().join("redis"),
            store::ACL_TEMPLATE,
            &no_rewrite,
        )?;
        let password = folder.path().join("owner-password");
        fs::write(&password, OWNER_PASSWORD)?;
        let programs = match &settings.programs {
            Some(folder) => folder.clone(),
            None => beside_this_program()?,
        };

        let (admin_address, user_address) = (free_address(), free_address());
        let service = |name: &str, address: SocketAddr, peer: SocketAddr| -> Result<Command> {
            let mut command = Command::new(programs.join(name));
            command
                .args(["--listen", &address.to_string()])
                .args(["--redis-url", &redis::url(&redis, name)?])
                .args(["--peer-url", &format!("http://{peer}")])
                .args(["--changes-per-minute", "0"]);
            Ok(command)
        };
        let mut admin = service("admin-service", admin_address, user_address)?;
        admin.args(["--owner-email", OWNER_EMAIL, "--owner-password-file"]);
        admin.arg(&password);
        let user = service("user-service", user_address, admin_address)?;
        Ok(Self {
            admin: GrpcServer::start(admin, admin_address, folder.path()).await?,
            user: GrpcServer::start(user, user_address, folder.path()).await?,
            redis,
            folder,
        })
    }

    /// The service that serves this gRPC service. Both serve health checks; user-service is
    /// measured.
    pub(crate) fn server(&self, service: &str) -> &GrpcServer {
        match service {
            "startlist.admin.v1.AdminService" => &self.admin,
            _ => &self.user,
        }
    }

    /// The temporary directory in which the child processes keep their files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The directory of this program: `target/release`, where cargo builds the services too.
fn beside_this_program() -> Result<PathBuf> {
    let mut folder = env::current_exe()?;
    folder.pop();
    Ok(folder)
}
