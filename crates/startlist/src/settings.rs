//! The command line of the binary.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use domain::Email;
use server::config::{PasswordFile, RedisUrl, RunSettings};
use server::unlock::UnlockCommand;
use user_service::SignUpSettings;

/// Both services and a private Redis on one machine, in one process tree
///
/// Without a subcommand it serves, and prints a line that begins with `ready` once both services
/// are SERVING. Ctrl-C or SIGTERM ends everything: running calls finish, then Redis ends.
#[derive(Debug, Parser)]
#[command(name = "startlist", version)]
pub(crate) struct Settings {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// The address on which admin-service listens
    #[arg(long, env = "STARTLIST_ADMIN_LISTEN", value_name = "IP:PORT")]
    #[arg(default_value = "127.0.0.1:50051")]
    pub(crate) admin_listen: SocketAddr,

    /// The address on which user-service listens
    #[arg(long, env = "STARTLIST_USER_LISTEN", value_name = "IP:PORT")]
    #[arg(default_value = "127.0.0.1:50052")]
    pub(crate) user_listen: SocketAddr,

    /// The folder that is kept across runs: the data of the private Redis, and passwords
    #[arg(long, env = "STARTLIST_DATA_DIR", value_name = "FOLDER", global = true)]
    #[arg(default_value = ".startlist")]
    pub(crate) data_dir: PathBuf,

    /// A Redis to use instead of the private one: redis://user:password@host:port/database, of
    /// which only the host is required
    #[arg(long, env = "STARTLIST_REDIS_URL", value_name = "URL", global = true)]
    #[arg(hide_env_values = true)]
    pub(crate) redis_url: Option<RedisUrl>,

    /// The e-mail address of the first owner, who is created if there is none; without it,
    /// owner@example.org
    #[arg(long, env = "STARTLIST_OWNER_EMAIL", value_name = "EMAIL")]
    #[arg(value_parser = |text: &str| Email::parse(text))]
    pub(crate) owner_email: Option<Email>,

    /// The file that holds the password of the first owner; without it, a random password is
    /// created and kept in the data folder
    #[arg(long, env = "STARTLIST_OWNER_PASSWORD_FILE", value_name = "FILE")]
    #[arg(value_parser = |path: &str| PasswordFile::read(path))]
    pub(crate) owner_password_file: Option<PasswordFile>,

    #[command(flatten)]
    pub(crate) sign_ups: SignUpSettings,

    #[command(flatten)]
    pub(crate) run: RunSettings,
}

impl Settings {
    /// Returns the flags about the first owner that were given.
    pub(crate) fn given_owner_flags(&self) -> Vec<&'static str> {
        let flags = [
            ("--owner-email", self.owner_email.is_some()),
            ("--owner-password-file", self.owner_password_file.is_some()),
        ];
        let given = flags.into_iter().filter(|(_, is_given)| *is_given);
        given.map(|(flag, _)| flag).collect()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Examines a running system and reports damaged data
    ///
    /// The doctor reads all data while the services run, and changes nothing without --repair. It
    /// examines the Redis of the startlist that runs in the data folder, or the one that
    /// --redis-url names.
    ///
    /// The report on standard output has one line for each problem, which begins with its kind:
    ///
    ///   finding   an invariant does not hold
    ///   orphan    a part of an account that an interrupted call left behind
    ///   leftover  harmless data that the services will clean up
    ///   repaired  a problem that --repair has fixed
    ///
    /// The last line is a summary. Progress is printed on standard error.
    ///
    /// Exit codes: 0 without findings and orphans, 1 with some, 64 if a setting cannot be used, 69
    /// if Redis cannot be reached, 77 if Redis refuses the user, its password or a command.
    #[command(verbatim_doc_comment)]
    Doctor(DoctorSettings),
    /// Clears the failed sign-ins of the user and of the admin with an e-mail address
    ///
    /// It takes effect at once in the startlist that runs in the data folder, or in the services
    /// that use the Redis of --redis-url.
    ///
    /// Exit codes: 0 if an account can sign in, 1 if none has the address, 64 if a setting cannot be
    /// used, 69 if Redis cannot be reached, 77 if Redis refuses the user.
    Unlock(UnlockCommand),
}

#[derive(Debug, Args)]
pub(crate) struct DoctorSettings {
    /// The file that holds the password of the Redis user in --redis-url, who must be allowed to
    /// read every key
    #[arg(long, env = "STARTLIST_REDIS_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) redis_password_file: Option<PathBuf>,

    /// Makes the repairs that are safe while the services run, then examines again
    #[arg(long, env = "STARTLIST_REPAIR")]
    pub(crate) repair: bool,

    /// The file that holds the password of the Redis user user-service, who makes the repairs;
    /// without it, the user in --redis-url makes them
    #[arg(long, env = "STARTLIST_REPAIR_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) repair_password_file: Option<PathBuf>,
}
