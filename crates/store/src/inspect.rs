//! Raw reads for the doctor, which examines what is stored and so trusts nothing that it reads.
//!
//! Services must not use this module: they read through [`UserStore`](crate::UserStore) and
//! [`AdminStore`](crate::AdminStore), which decode what they read and fail on damage.

use deadpool_redis::redis::{Value, from_redis_value};
use domain::{Email, Timestamp};

use crate::accounts::EmailClaims;
use crate::error::Result;
use crate::installation::Installation;
use crate::keys::People;
use crate::redis::{Effect, Redis, checked};

pub use deadpool_redis::redis::{Cmd, FromRedisValue, cmd};

pub use crate::installation::SECRET_BYTES;
pub use crate::redis::Commands;

/// What a command found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored<T> {
    /// The key, the field or the member does not exist. Also an empty collection: Redis stores
    /// none.
    Absent,
    /// The key has a wrong type, or the value cannot be decoded.
    Unreadable,
    Present(T),
}

impl<T> Stored<T> {
    /// The value, if there is one that can be decoded.
    pub fn present(self) -> Option<T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Unreadable => None,
        }
    }

    /// Whether there is no value, as opposed to one that cannot be decoded.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Parses the value. A value that cannot be parsed becomes unreadable.
    pub fn parse<U, E>(self, parse: impl FnOnce(T) -> Result<U, E>) -> Stored<U> {
        match self {
            Self::Absent => Stored::Absent,
            Self::Unreadable => Stored::Unreadable,
            Self::Present(value) => parse(value).map_or(Stored::Unreadable, Stored::Present),
        }
    }
}

/// The replies to [`Commands`], in their order.
pub struct Replies(std::vec::IntoIter<Value>);

impl Replies {
    /// Takes the next reply.
    pub fn take<T: FromRedisValue>(&mut self) -> Stored<T> {
        let is_empty = |reply: &Value| match reply {
            Value::Nil => true,
            Value::Array(items) | Value::Set(items) => items.is_empty(),
            Value::Map(entries) => entries.is_empty(),
            _ => false,
        };
        match self.0.next() {
            None => Stored::Unreadable,
            Some(reply) if is_empty(&reply) => Stored::Absent,
            Some(reply) => from_redis_value(reply).map_or(Stored::Unreadable, Stored::Present),
        }
    }
}

/// Reads for the doctor. Cheap to clone; all clones share the connections.
#[derive(Clone)]
pub struct Inspector {
    redis: Redis,
    claims: EmailClaims,
}

impl Inspector {
    /// Reads on these connections. Opens none.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self {
            redis: redis.clone(),
            claims: EmailClaims::new(redis, &Installation::new(redis)),
        }
    }

    /// Opens a connection. Fails if Redis cannot be reached or refuses the login.
    pub async fn connect(&self) -> Result<()> {
        self.redis.current_time().await.map(drop)
    }

    /// The time by Redis's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.redis.now()
    }

    /// Sends commands that read, in one round trip. WRONGTYPE is a reply, [`Stored::Unreadable`];
    /// any other error reply fails the call.
    pub async fn read(&self, commands: &Commands) -> Result<Replies> {
        let connection = self.redis.pick_connection();
        let replies = self.redis.send(commands, Effect::Read, connection).await?;
        let replies = replies.into_iter().map(|reply| match reply {
            Value::ServerError(error) if error.code() == "WRONGTYPE" => {
                Ok(Value::ServerError(error))
            }
            reply => checked(reply),
        });
        Ok(Replies(replies.collect::<Result<Vec<_>>>()?.into_iter()))
    }

    /// The keys under which an account may claim its e-mail address; see [`EmailClaims::keys`]. Call
    /// it only if the secret of the installation exists ([`keys::INSTALLATION`], [`SECRET_BYTES`]
    /// long), because a missing one is created.
    ///
    /// [`keys::INSTALLATION`]: crate::keys::INSTALLATION
    pub async fn email_claim_keys(&self, people: People, email: &Email) -> Result<Vec<String>> {
        self.claims.keys(people, email).await
    }
}
