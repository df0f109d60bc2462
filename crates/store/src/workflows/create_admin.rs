//! Creates an admin: enters the id in the list of admins, creates the account, and adds an owner to
//! the owners.
//!
//! A call that is cut off leaves an id without an account, which a list of admins skips, or an
//! owner who is not among the owners, whom a repetition adds.

use deadpool_redis::redis::Cmd;
use domain::{Admin, AdminId, Email, Rejection, Role, SessionToken};

use super::create_account::{AccountCreation, NewAccount};
use crate::accounts::PasswordHash;
use crate::admins::{Admins, NewAdmin};
use crate::error::{Error, Result};
use crate::fingerprint::fingerprint;
use crate::keys::{self, AccountId, People};
use crate::scripts::use_bootstrap::{UseBootstrap, UseBootstrapReply};

/// Takes the place of the creating admin's id when the first owner is created.
const BOOTSTRAP_CREATOR: &str = "bootstrap";

/// Creates admins. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AdminCreation {
    accounts: AccountCreation,
    admins: Admins,
}

impl AdminCreation {
    pub(crate) fn new(accounts: &AccountCreation, admins: &Admins) -> Self {
        Self {
            accounts: accounts.clone(),
            admins: admins.clone(),
        }
    }

    /// Creates an admin. A repetition by the same admin with the same request id gets the same
    /// admin.
    pub(crate) async fn create(
        &self,
        by: &AdminId,
        new: &NewAdmin,
        password: &PasswordHash,
    ) -> Result<Admin> {
        self.create_by(by.as_str(), new, password).await
    }

    /// Creates the first owner with the bootstrap token, which is spent on this request.
    pub(crate) async fn create_first_owner(
        &self,
        token: &SessionToken,
        new: &NewAdmin,
        password: &PasswordHash,
    ) -> Result<Admin> {
        let spend = UseBootstrap {
            token: token.hash(),
            request: new.request_id,
        };
        match self.accounts.redis.run(&spend).await? {
            // An owner was created since, for example by the settings.
            UseBootstrapReply::Spent if self.admins.has_owner().await? => {
                Err(Rejection::Unauthenticated.into())
            }
            UseBootstrapReply::Spent | UseBootstrapReply::Repeated => {
                self.create_by(BOOTSTRAP_CREATOR, new, password).await
            }
            UseBootstrapReply::Refused => Err(Rejection::Unauthenticated.into()),
        }
    }

    /// Creates the first owner of an installation that has none. Returns whether it created one.
    pub(crate) async fn ensure_owner(
        &self,
        new: &NewAdmin,
        password: &PasswordHash,
    ) -> Result<bool> {
        if self.admins.has_owner().await? {
            return Ok(false);
        }
        match self.create_by(BOOTSTRAP_CREATOR, new, password).await {
            Ok(_) => Ok(true),
            Err(Error::Rejected(taken)) if taken.rejection == Rejection::EmailTaken => {
                self.add_existing_owner(&new.email).await?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn create_by(&self, by: &str, new: &NewAdmin, password: &PasswordHash) -> Result<Admin> {
        let installation = &self.accounts.installation;
        let id = installation.made_id("admin", by, new.request_id).await?;
        let id = AdminId::from_bytes(id);
        let enter = Cmd::zadd(keys::ADMINS, id.as_str(), 0);
        self.accounts.redis.prepare(enter).await?;
        let created = self
            .accounts
            .create(&new_account(&id, new, password)?)
            .await?;
        // A repetition may come after the owner was disabled, who must not count as one again.
        if new.role == Role::Owner && !self.admins.get(&id).await?.disabled {
            self.admins.add_to_owners(&id).await?;
        }
        Ok(Admin {
            id,
            email: new.email.clone(),
            display_name: new.display_name.clone(),
            role: new.role,
            disabled: false,
            created_at: created.created_at,
        })
    }

    /// Adds an existing owner to the owners, if a call was cut off between creating the account and
    /// adding it. Fails with `EmailTaken` if the account with this address is not an enabled owner.
    async fn add_existing_owner(&self, email: &Email) -> Result<()> {
        match self.find(email).await? {
            Some(admin) if admin.role == Role::Owner && !admin.disabled => {
                self.admins.add_to_owners(&admin.id).await
            }
            _ => Err(Rejection::EmailTaken.into()),
        }
    }

    /// Finds the admin with this address.
    pub(crate) async fn find(&self, email: &Email) -> Result<Option<Admin>> {
        let claims = &self.accounts.claims;
        let Some(owner) = claims.owner(People::Admins, email).await? else {
            return Ok(None);
        };
        let id = AdminId::parse(owner.id.as_str()).map_err(|_| {
            Error::unreadable(format_args!("the owner `{}` of an address", owner.id))
        })?;
        self.admins.get(&id).await.map(Some)
    }
}

fn new_account<'a>(
    id: &AdminId,
    new: &'a NewAdmin,
    password: &'a PasswordHash,
) -> Result<NewAccount<'a>> {
    Ok(NewAccount {
        id: AccountId::Admin(id.clone()),
        email: &new.email,
        password,
        profile: vec![
            ("email", new.email.as_str().to_owned()),
            ("display_name", new.display_name.to_string()),
            ("role", new.role.as_str().to_owned()),
            ("disabled", "0".to_owned()),
        ],
        request: new.request_id,
        fingerprint: fingerprint(&(
            "create_admin",
            new.email.as_str(),
            &new.display_name,
            new.role,
        ))?,
        session: None,
        network: None,
    })
}
