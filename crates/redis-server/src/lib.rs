//! A private Redis or Valkey as a child process: started on a free port of 127.0.0.1, set up as a
//! system of record, and ended cleanly. For the `startlist` binary and for tests.
//!
//! In reading order:
//! - [`Options`]: what to start.
//! - [`RedisServer`]: the server while it runs: its address, its signals, its end.
//! - `users`: the ACL file and its passwords.
//! - `folder`: the data, the lock that keeps a second server away from it, and the file `address`, which says
//!   where the server listens: [`address_in`].
//! - `process`: the child, and what ends it when this process is killed.
//! - `answer`: whether it answers.
//!
//! # Ends
//! [`RedisServer::stop`] and dropping end the child. When this process is killed, a watchdog (`sh`, which
//! waits for the end of a pipe that only this process holds open) ends the child within milliseconds.
//! The kernel could do that on Linux (`PR_SET_PDEATHSIG`), but not without `unsafe`, not on macOS, and
//! bound to a thread. Only if both are killed at once does the child live on; its lock on the folder
//! then refuses a second server.
//!
//! # macOS
//! All of this holds on macOS too. There `appendfsync always` is slower, and means it: Redis asks for
//! `F_FULLFSYNC`, which empties the disk's own cache.

mod answer;
mod folder;
mod process;
mod server;
mod users;

use std::path::PathBuf;

pub use folder::address_in;
pub use server::RedisServer;

/// What to start.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The server; `None` = `redis-server` from `PATH`, or `valkey-server` if there is none.
    pub program: Option<PathBuf>,
    /// Where its data, its ACL file, its log and its address are. Made if need be, for nobody but its owner. One
    /// server at a time can use it.
    pub data_dir: PathBuf,
    /// The ACL file. In the line of the user `some-name`, `@SOME_NAME_SHA256@` stands for the SHA-256 of
    /// the user's password. At least one user has one, and may PING. The default user, if it is off, keeps
    /// all rights (`user default off ~* &* +@all`): Redis 7.0 reads its own data as that user.
    pub acl: String,
    /// The passwords by the names of their users. For a user who is not named here a random one is made.
    pub passwords: Vec<(String, String)>,
    /// More settings: names and values as in `redis.conf`. They come last, and so win over those of a
    /// system of record.
    pub settings: Vec<(String, String)>,
}
