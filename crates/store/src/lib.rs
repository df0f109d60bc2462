//! The store: the only crate that knows Redis, the system of record.
//!
//! In reading order:
//! - [`UserStore`], [`AdminStore`]: what each service can do. [`Redis`]: the connections to Redis.
//! - `workflows`: what changes several slots of Redis, such as a registration or an erasure.
//! - `competitions`, `registrations`, `audit`, `seal`: one competition, in its slot.
//! - `accounts`, `users`, `admins`: one account, in its slot.
//! - `scripts`: the Lua scripts, which decide atomically, with their typed arguments and replies.
//! - [`records`]: how each thing is stored. [`keys`]: under which key.
//! - `redis`, `batching`: how commands are sent. [`WriteTracker`]: whether a call that got no reply
//!   may have changed something.
//! - `shards`, `page`: long lists, in pages. `fingerprint`: how a repeated request is recognised.
//!   `installation`: the secret of this installation.
//! - [`inspect`], [`repair`]: raw reads and writes for the doctor.
//!
//! An arrow points downwards in this list only: a component never knows a workflow, and a workflow
//! is the only one that knows components of two slots.

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
mod page;
pub mod records;
mod redis;
pub mod registrations;
pub mod repair;
mod scripts;
mod seal;
mod shards;
mod user_store;
pub mod users;
mod workflows;
mod write_outcome;

pub use accounts::{Credentials, IssuedSession, Origin, PasswordHash, Sessions, SignInAttempt};
pub use admin_store::AdminStore;
pub use error::{Error, Result};
pub use page::{Cursor, Listed, Page, PageRequest};
pub use records::account_event::{AccountEvent, AccountEventKind};
pub use records::seal::Seal;
pub use redis::{CheckFailed, Fault, InvalidUrl, Redis};
pub use user_store::UserStore;
pub use write_outcome::{WriteOutcome, WriteTracker};

/// The Redis users, as an ACL file: what each service may do. `@ADMIN_SERVICE_SHA256@`,
/// `@USER_SERVICE_SHA256@` and `@DOCTOR_SHA256@` stand for the SHA-256 of the passwords.
///
/// The default user is off, so nobody can sign in as it. It has all permissions nevertheless: when
/// Redis 7.0 starts, it checks the transactions of the append-only file against this user, and
/// silently drops those that it may not run.
pub const ACL_TEMPLATE: &str = include_str!("../../../docker/redis/users.acl");
