//! A private Redis or Valkey as a child process: started on a free port of 127.0.0.1, set up as a
//! system of record, and ended cleanly. For the `startlist` binary and for tests.
//!
//! In reading order:
//! - [`Options`]: the configuration of a server.
//! - [`RedisServer`]: a running server: its address, signals, restart and stop.
//! - `users`: the ACL file and its passwords.
//! - `folder`: the data folder, its lock, and the file with the server's address: [`address_in`].
//! - `process`: the child process, and the watchdog that ends it when this process is killed.
//! - `ping`: checks whether the server is ready.
//!
//! # End of the child
//! [`RedisServer::stop`] and dropping end the child. When this process is killed, a watchdog (`sh`,
//! which waits for the end of a pipe that only this process holds open) ends the child within
//! milliseconds. Linux can do that itself (`PR_SET_PDEATHSIG`), but that needs `unsafe`, is bound
//! to a thread, and does not exist on macOS. The child survives only if both are killed at once;
//! its lock on the folder then refuses a second server.
//!
//! # macOS
//! All of this works on macOS too. There `appendfsync always` is slower, because Redis uses
//! `F_FULLFSYNC`, which also flushes the disk's cache.

mod folder;
mod ping;
mod process;
mod server;
mod users;

use std::path::PathBuf;

pub use folder::address_in;
pub use server::RedisServer;

/// The configuration of a server.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The program; `None` = `redis-server` from `PATH`, or else `valkey-server`.
    pub program: Option<PathBuf>,
    /// The folder of the data, the ACL file, the log and the address. Created with mode 0700 if it
    /// does not exist. One server at a time can use it.
    pub data_dir: PathBuf,
    /// The template of the ACL file. In the line of the user `some-name`, `@SOME_NAME_SHA256@` is
    /// replaced by the SHA-256 of the user's password. At least one user needs a password and the
    /// right to PING. The default user may be off, but must keep all rights, because Redis 7.0 loads
    /// its data as that user: `user default off ~* &* +@all`.
    pub acl: String,
    /// Passwords by user name. Other users get a random password.
    pub passwords: Vec<(String, String)>,
    /// More settings, with names and values as in `redis.conf`. They override those of a system of
    /// record.
    pub settings: Vec<(String, String)>,
}
