//! The settings: a flag for each, and an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use domain::Email;
use server::config::{PasswordFile, RedisUrl, RunSettings};

/// Both services and a private Redis on one machine, in one process tree
///
/// Without a subcommand it serves: it prints a line that begins with `ready` once both services are SERVING.
/// Ctrl-C or SIGTERM ends everything: running calls finish, then Redis ends.
#[derive(Debug, Parser)]
#[command(name = "startlist", version)]
pub(crate) struct Settings {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Where admin-service listens
    #[arg(long, env = "STARTLIST_ADMIN_LISTEN", value_name = "IP:PORT")]
    #[arg(default_value = "127.0.0.1:50051")]
    pub(crate) admin_listen: SocketAddr,

    /// Where user-service listens
    #[arg(long, env = "STARTLIST_USER_LISTEN", value_name = "IP:PORT")]
    #[arg(default_value = "127.0.0.1:50052")]
    pub(crate) user_listen: SocketAddr,

    /// The folder that is kept across runs: what the private Redis holds, and passwords
    #[arg(long, env = "STARTLIST_DATA_DIR", value_name = "FOLDER", global = true)]
    #[arg(default_value = ".startlist")]
    pub(crate) data_dir: PathBuf,

    /// A Redis in the place of the private one: redis://user:password@host:port/database, of which only the
    /// host has to be there
    #[arg(long, env = "STARTLIST_REDIS_URL", value_name = "URL", global = true)]
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

/// What the binary does beside serving.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Examines a running system, and says what is not as it must be
    ///
    /// Reads everything, changes nothing, and disturbs nobody who is served. Looks at the Redis of the startlist
    /// that runs in the data folder, or at another one that is named.
    ///
    /// Each thing that is wrong is one line of standard output. It begins with what kind of thing it is:
    ///
    ///   finding   an invariant does not hold
    ///   orphan    half of an account that a call left which was cut off
    ///   leftover  what the services clean up as they go; it does no harm
    ///   repaired  what --repair has put right
    ///
    /// The last line sums up. How far it is goes to standard error.
    ///
    /// Ends with 0 if there is no finding and no orphan, with 1 if there is one; with 64 if a setting cannot be
    /// used, 69 if Redis cannot be reached, 77 if the Redis user or its password is wrong or may not do it.
    #[command(verbatim_doc_comment)]
    Doctor(DoctorSettings),
}

/// How a running system is examined.
#[derive(Debug, Args)]
pub(crate) struct DoctorSettings {
    /// The file that holds the password of the Redis user that --redis-url names: one that may read every key
    #[arg(long, env = "STARTLIST_REDIS_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) redis_password_file: Option<PathBuf>,

    /// Repairs what can be repaired safely while the services serve, and examines again
    #[arg(long, env = "STARTLIST_REPAIR")]
    pub(crate) repair: bool,

    /// The file that holds the password of the Redis user user-service, as which repairs are made; without it, they
    /// are made as the user that --redis-url names
    #[arg(long, env = "STARTLIST_REPAIR_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) repair_password_file: Option<PathBuf>,
}
