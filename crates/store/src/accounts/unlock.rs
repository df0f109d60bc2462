//! Clears the failed sign-ins of an account, for an operator.

use std::net::IpAddr;

use deadpool_redis::redis::{Cmd, cmd};
use domain::Email;

use super::attempts::NETWORK_LIFETIME;
use super::{Credentials, PersonId};
use crate::error::Result;
use crate::keys::AccountKey;
use crate::redis::Commands;

/// What an unlocking found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlocked {
    /// No account has the address.
    NoAccount,
    /// No failed sign-in was counted.
    NothingCounted,
    /// The failed sign-ins were cleared.
    Cleared,
}

impl<Id: PersonId> Credentials<Id> {
    /// Clears the failed sign-ins of the account with this address, and its failed confirmations.
    /// With a network, the account is known to sign in from there from now on: neither the failures
    /// from other networks nor a block of the network hinder it. Running servers follow at once.
    pub async fn unlock(&self, email: &Email, network: Option<IpAddr>) -> Result<Unlocked> {
        let owner = self.claims.owner(Id::PEOPLE, email).await?;
        let Some(id) = owner.and_then(|owner| Id::parse_id(&owner.id)) else {
            return Ok(Unlocked::NoAccount);
        };
        let account = id.account();
        let counted = [AccountKey::Failures, AccountKey::Confirmations];
        let cleared: u32 = self
            .redis
            .read(Cmd::del(&counted.map(|key| key.of(&account))))
            .await?;
        if let Some(network) = network {
            let networks = AccountKey::Networks.of(&account);
            let network = self.claims.network_hash(&account, network).await?;
            let now = self.redis.current_time().await?;
            let mut expire = cmd("PEXPIRE");
            expire.arg(&networks).arg(NETWORK_LIFETIME.as_millis());
            let remember: Commands = [Cmd::hset(&networks, network, now.as_millis()), expire]
                .into_iter()
                .collect();
            self.redis.read_all(&remember).await?;
        }
        Ok(match cleared {
            0 => Unlocked::NothingCounted,
            _ => Unlocked::Cleared,
        })
    }
}
