//! How the first owner comes to be: by the settings, or by a single-use token.

use std::time::Duration;

use deadpool_redis::redis::cmd;
use domain::{Admin, AdminId, Email, Rejection, Role, SessionToken};

use super::NewAdmin;
use crate::accounts::PasswordHash;
use crate::error::{Error, Result};
use crate::keys::{self, People};
use crate::legacy::unreadable;
use crate::redis::Effect;
use crate::redis::{ReplyReader, decode};
use crate::{Store, installation, script};

/// How long a bootstrap token is good: 15 minutes.
pub const BOOTSTRAP_TOKEN: Duration = Duration::from_secs(15 * 60);

/// Who makes the first owner: the installation itself.
const BOOTSTRAP_MAKER: &str = "bootstrap";

impl Store {
    /// Makes the first owner with the bootstrap token: the token is spent on this request.
    pub async fn create_first_owner(
        &self,
        token: &SessionToken,
        new: &NewAdmin,
        password: &PasswordHash,
    ) -> Result<Admin> {
        let call = script::USE_BOOTSTRAP
            .on(&[keys::BOOTSTRAP])
            .arg(token.hash().to_string())
            .arg(new.request_id.to_string());
        let reply = ReplyReader::new(self.redis.run_call(call, Effect::Decide).await?)?;
        match reply.word() {
            // Somebody else was made an owner meanwhile, as by the settings.
            "spent" if self.has_owner().await? => Err(Rejection::Unauthenticated.into()),
            "spent" | "repeated" => self.create_admin(BOOTSTRAP_MAKER, new, password).await,
            "refused" => Err(Rejection::Unauthenticated.into()),
            _ => Err(reply.unexpected()),
        }
    }

    /// Makes the first owner of an installation that has none, as its settings say. Answers whether
    /// there is an owner now that was not there before.
    pub async fn ensure_owner(&self, new: &NewAdmin, password: &PasswordHash) -> Result<bool> {
        if self.has_owner().await? {
            return Ok(false);
        }
        match self.create_admin(BOOTSTRAP_MAKER, new, password).await {
            Ok(_) => Ok(true),
            Err(Error::Rejected(taken)) if taken.rejection == Rejection::EmailTaken => {
                self.own_again(&new.email).await?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Enters an owner among the owners whom a server made that was killed before it could. Fails with
    /// `EmailTaken` if the address is that of somebody else.
    async fn own_again(&self, email: &Email) -> Result<()> {
        let hash = self.installation.email_hash(&self.redis, email).await?;
        let Some(id) = self.owner_of_email(People::Admins, &hash).await? else {
            return Err(Rejection::EmailTaken.into());
        };
        let id = AdminId::parse(id).map_err(|_| unreadable("the owner of an address"))?;
        let admin = self.get_admin(&id).await?;
        if admin.role != Role::Owner || admin.disabled {
            return Err(Rejection::EmailTaken.into());
        }
        self.own(&id).await
    }

    /// Enters an admin among the owners.
    pub(super) async fn own(&self, id: &AdminId) -> Result<()> {
        let mut own = cmd("SADD");
        own.arg(keys::OWNERS).arg(id.as_str());
        self.redis.command(own).await.map(drop)
    }

    /// Whether somebody can make admins.
    pub async fn has_owner(&self) -> Result<bool> {
        let mut exists = cmd("EXISTS");
        exists.arg(keys::OWNERS);
        decode(self.redis.command(exists).await?)
    }

    /// Makes a token that makes the first owner. It replaces an earlier one.
    pub async fn new_bootstrap_token(&self) -> Result<SessionToken> {
        let token = SessionToken::of_bootstrap(&installation::random()?);
        let mut set = cmd("SET");
        set.arg(keys::BOOTSTRAP)
            .arg(token.hash().to_string())
            .arg("EX")
            .arg(BOOTSTRAP_TOKEN.as_secs());
        self.redis.command(set).await?;
        Ok(token)
    }

    /// Whether this is the bootstrap token, spent or not. What it was spent on may be repeated; for
    /// anything else [`Store::create_first_owner`] refuses it.
    pub async fn bootstrap_token_is_valid(&self, token: &SessionToken) -> Result<bool> {
        let mut get = cmd("GET");
        get.arg(keys::BOOTSTRAP);
        let held: Option<String> = decode(self.redis.command(get).await?)?;
        let hash = token.hash().to_string();
        Ok(held.is_some_and(|held| held.split(' ').next() == Some(hash.as_str())))
    }
}
