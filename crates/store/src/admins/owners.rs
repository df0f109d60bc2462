//! The owners that are not disabled, and the single-use token that creates the first one.

use std::time::Duration;

use deadpool_redis::redis::{Cmd, cmd};
use domain::{AdminId, SessionToken};

use super::Admins;
use crate::error::Result;
use crate::installation;
use crate::keys;

/// The lifetime of a bootstrap token: 15 minutes.
pub const BOOTSTRAP_TOKEN_LIFETIME: Duration = Duration::from_secs(15 * 60);

impl Admins {
    /// Whether there is an owner, who can create admins.
    pub(crate) async fn has_owner(&self) -> Result<bool> {
        self.redis.read(Cmd::exists(keys::OWNERS)).await
    }

    /// Adds an admin to the owners that are not disabled.
    pub(crate) async fn add_to_owners(&self, id: &AdminId) -> Result<()> {
        let add = Cmd::sadd(keys::OWNERS, id.as_str());
        self.redis.prepare(add).await
    }

    /// Creates a token that creates the first owner. It replaces an earlier one.
    pub(crate) async fn new_bootstrap_token(&self) -> Result<SessionToken> {
        let token = SessionToken::of_bootstrap(&installation::random()?);
        let mut set = cmd("SET");
        set.arg(keys::BOOTSTRAP).arg(token.hash().to_string());
        set.arg("EX").arg(BOOTSTRAP_TOKEN_LIFETIME.as_secs());
        self.redis.prepare(set).await?;
        Ok(token)
    }
}
