//! Which account has an e-mail address. The claim of an address is in a slot of its own, under a
//! keyed hash of the address. It is the only source of uniqueness.

use std::net::IpAddr;

use deadpool_redis::redis::Cmd;
use domain::Email;

use crate::error::Result;
use crate::installation::Installation;
use crate::keys::{self, AccountId, People};
use crate::records::email_claim::EmailClaim;
use crate::redis::Redis;
use crate::scripts::release_email::{ReleaseEmail, ReleaseEmailReply};

/// The claims of e-mail addresses.
#[derive(Clone)]
pub(crate) struct EmailClaims {
    redis: Redis,
    installation: Installation,
}

impl EmailClaims {
    pub(crate) fn new(redis: &Redis, installation: &Installation) -> Self {
        Self {
            redis: redis.clone(),
            installation: installation.clone(),
        }
    }

    /// The keyed hash of an address.
    pub(crate) async fn hash(&self, email: &Email) -> Result<String> {
        self.installation.email_hash(email).await
    }

    /// The keyed hash of the network that an account signs in from.
    pub(crate) async fn network_hash(&self, account: &AccountId, at: IpAddr) -> Result<String> {
        self.installation.network_hash(account.as_str(), at).await
    }

    /// The key of the claim of an address.
    pub(crate) async fn key(&self, people: People, email: &Email) -> Result<String> {
        Ok(keys::email_claim(people, &self.hash(email).await?))
    }

    /// The id of the account that has the address with this hash. `None` if there is none, or it is
    /// still being created.
    pub(crate) async fn owner(&self, people: People, hash: &str) -> Result<Option<String>> {
        let claim = Cmd::get(keys::email_claim(people, hash));
        let claim: Option<String> = self.redis.read(claim).await?;
        Ok(claim.and_then(|claim| EmailClaim::parse(&claim).owner()))
    }

    /// Deletes a claim if it still has this value. A confirmed claim is the id of its account.
    pub(crate) async fn release(&self, claim: &str, value: &str) -> Result<ReleaseEmailReply> {
        self.redis.run(&ReleaseEmail { claim, value }).await
    }
}
