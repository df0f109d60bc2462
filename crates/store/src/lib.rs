//! Redis: the system of record. Nothing else knows it.
//!
//! In reading order:
//! - [`keys`]: every key, spelled once.
//! - [`script`] and `scripts/`: what is decided, atomically, in Redis.
//! - [`redis`]: the shared connections; [`batches`]: calls that go together; [`outcome`]: what became of
//!   a write without an answer; [`clock`]: what time it is for Redis.
//! - [`competitions`], [`registrations`], [`audit`]: the records that everything is about.
//! - [`seal`]: a hash chain over the log, so that nobody changes it unseen.
//! - [`accounts`], [`users`], [`admins`]: people.
//! - [`shards`], [`page`]: long lists, in pages.
//! - [`installation`], [`fingerprint`]: the secret of this installation, and how a repeated request is told.
//! - [`doctor`]: whether a running system is as it must be.
//! - [`setup`]: whether Redis keeps what it is told.

pub mod accounts;
pub mod admins;
mod audit;
mod batches;
mod clock;
pub mod competitions;
pub mod doctor;
mod error;
mod fingerprint;
mod installation;
mod keys;
pub mod outcome;
mod page;
mod redis;
pub mod registrations;
mod reply;
mod script;
mod seal;
mod setup;
mod shards;
pub mod users;

use std::sync::Arc;

use domain::Timestamp;

pub use accounts::{OpenSession, PasswordHash, SignInAttempt};
pub use error::{Error, Result};
pub use page::{Cursor, Listed, Page, PageRequest};
pub use seal::Seal;

use crate::batches::Batches;
use crate::competitions::{Known, Looks};
use crate::installation::Installation;
use crate::redis::Redis;
use crate::registrations::Rush;

/// The ACL of Redis: what each service may touch. `@ADMIN_SERVICE_SHA256@`, `@USER_SERVICE_SHA256@` and
/// `@DOCTOR_SHA256@` stand for the SHA-256 of the passwords.
///
/// Nobody can sign in as the default user, who is off. It may do everything all the same: Redis 7.0
/// checks the transactions of the append-only file against it when it starts, and silently drops what
/// it may not do.
pub const ACL_TEMPLATE: &str = include_str!("../../../docker/redis/users.acl");

/// The store. Cheap to clone; all clones share their connections.
#[derive(Clone)]
pub struct Store {
    redis: Arc<Redis>,
    installation: Arc<Installation>,
    known: Arc<Known>,
    looks: Batches<Looks>,
    rush: Batches<Rush>,
}

/// Why a URL is not one of a Redis that can be used. Holds no password.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidUrl(String);

impl Store {
    /// Prepares a store on the Redis of this URL, with this password if the URL has none. Nothing is
    /// connected yet: Redis may come later, and go and come back.
    pub fn new(url: &str, password: Option<&str>) -> Result<Self, InvalidUrl> {
        let redis =
            Redis::new(url, password).map_err(|error| InvalidUrl(error.category().to_owned()))?;
        let (redis, known) = (Arc::new(redis), Arc::<Known>::default());
        Ok(Self {
            installation: Arc::default(),
            looks: Batches::new(&redis, Looks(Arc::clone(&known))),
            rush: Batches::new(&redis, Rush),
            known,
            redis,
        })
    }

    /// Whether Redis answers PING, on a connection that no call can hold up, within a second.
    pub async fn ping(&self) -> Result<()> {
        self.redis.ping().await
    }

    /// What time it is for Redis, as far as this server knows. See [`clock`].
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.redis.clock().now()
    }
}
