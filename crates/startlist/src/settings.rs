//! The settings: a flag for each, and an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use domain::Email;
use server::config::{RedisUrl, RunSettings};

use crate::owner::PasswordFile;

/// Both services and a private Redis on one machine, in one process tree
///
/// Prints a line that begins with `ready` once both services are SERVING. Ctrl-C or SIGTERM ends
/// everything: running calls finish, then Redis ends.
#[derive(Debug, Parser)]
#[command(name = "startlist", version)]
pub(crate) struct Settings {
    /// Where admin-service listens
    #[arg(long, env = "STARTLIST_ADMIN_LISTEN", value_name = "IP:PORT")]
    #[arg(default_value = "127.0.0.1:50051")]
    pub(crate) admin_listen: SocketAddr,

    /// Where user-service listens
    #[arg(long, env = "STARTLIST_USER_LISTEN", value_name = "IP:PORT")]
    #[arg(default_value = "127.0.0.1:50052")]
    pub(crate) user_listen: SocketAddr,

    /// The folder that is kept across runs: what the private Redis holds, and passwords
    #[arg(long, env = "STARTLIST_DATA_DIR", value_name = "FOLDER")]
    #[arg(default_value = ".startlist")]
    pub(crate) data_dir: PathBuf,

    /// A Redis in the place of the private one: redis://user:password@host:port/database, of which only the
    /// host has to be there
    #[arg(long, env = "STARTLIST_REDIS_URL", value_name = "URL")]
    #[arg(hide_env_values = true)]
    pub(crate) redis_url: Option<RedisUrl>,

    /// The e-mail address of the first owner, who is made if there is none
    #[arg(long, env = "STARTLIST_OWNER_EMAIL", value_name = "EMAIL")]
    #[arg(value_parser = |text: &str| Email::parse(text), default_value = "owner@example.org")]
    pub(crate) owner_email: Email,

    /// The file that holds the password of the first owner; without one, a random password is made and
    /// kept in the data folder
    #[arg(long, env = "STARTLIST_OWNER_PASSWORD_FILE", value_name = "FILE")]
    #[arg(value_parser = |path: &str| PasswordFile::read(path))]
    pub(crate) owner_password_file: Option<PasswordFile>,

    /// How both services run.
    #[command(flatten)]
    pub(crate) run: RunSettings,
}
