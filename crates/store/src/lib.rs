//! Redis: the system of record. Nothing else knows it.
//!
//! In reading order:
//! - [`keys`]: every key, spelled once.
//! - [`script`] and `scripts/`: what is decided, atomically, in Redis.
//! - [`redis`]: the shared connections; [`batches`]: calls that go together; [`outcome`]: what became of
//!   a write without an answer; the module `redis::clock`: what time it is for Redis.
//! - [`competitions`], [`registrations`], [`audit`]: the records that everything is about.
//! - [`seal`]: a hash chain over the log, so that nobody changes it unseen.
//! - [`accounts`], [`users`], [`admins`]: people.
//! - [`shards`], [`page`]: long lists, in pages.
//! - [`installation`], [`fingerprint`]: the secret of this installation, and how a repeated request is told.
//! - [`inspect`], [`repair`]: raw reads and repairs for the crate `doctor`, and for nothing else.
//! - [`setup`]: whether Redis keeps what it is told.

pub mod accounts;
mod admin_store;
pub mod admins;
mod audit;
mod batching;
pub mod competitions;
mod error;
mod fingerprint;
pub mod inspect;
mod installation;
pub mod keys;
mod legacy;
mod page;
pub mod records;
mod redis;
pub mod registrations;
pub mod repair;
mod script;
mod scripts;
mod seal;
mod shards;
mod user_store;
pub mod users;
mod workflows;
mod write_outcome;

use std::sync::Arc;

use domain::Timestamp;

pub use accounts::{Credentials, IssuedSession, PasswordHash, Sessions, SignInAttempt};
pub use admin_store::AdminStore;
pub use error::{Error, Result};
pub use page::{Cursor, Listed, Page, PageRequest};
pub use records::account_event::{AccountEvent, AccountEventKind};
pub use records::seal::Seal;
pub use redis::{InvalidUrl, Redis};
pub use user_store::UserStore;
pub use write_outcome::{WriteOutcome, WriteTracker};

use crate::batching::Batcher;
use crate::competitions::{Known, Looks};
use crate::installation::Installation;
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
    redis: Redis,
    installation: Installation,
    known: Arc<Known>,
    looks: Batcher<Looks>,
    rush: Batcher<Rush>,
}

impl Store {
    /// Configures a store without opening a connection. See [`Redis::new`].
    pub fn new(url: &str, password: Option<&str>) -> Result<Self, InvalidUrl> {
        Redis::new(url, password).map(|redis| Self::on(&redis))
    }

    pub(crate) fn on(redis: &Redis) -> Self {
        let known = Arc::<Known>::default();
        Self {
            installation: Installation::new(redis),
            looks: Batcher::new(redis, Looks(Arc::clone(&known))),
            rush: Batcher::new(redis, Rush),
            known,
            redis: redis.clone(),
        }
    }

    /// Whether Redis answers PING, on a connection that no call can hold up, within a second.
    pub async fn ping(&self) -> Result<()> {
        self.redis.ping().await
    }

    /// What time it is for Redis, as far as this server knows. See the module `redis::clock`.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.redis.now()
    }
}

impl Store {
    pub async fn setup_warnings(&self) -> Result<Vec<String>> {
        self.redis.setup_warnings().await
    }
}
