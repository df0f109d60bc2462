//! Which account has an e-mail address. The claim of an address is in a slot of its own, under a
//! keyed hash of its canonical form. It is the only source of uniqueness.
//!
//! Releases up to 0.1.0 had another canonical form. Claims of that time stay where they are, so that
//! both forms are looked up where they differ. A sign-in adds the claim of the canonical form.

use std::net::IpAddr;

use deadpool_redis::redis::{Cmd, cmd};
use domain::Email;

use crate::error::Result;
use crate::installation::Installation;
use crate::keys::{self, AccountId, People};
use crate::records::email_claim::EmailClaim;
use crate::redis::{Commands, Redis, decode};
use crate::scripts::release_email::{ReleaseEmail, ReleaseEmailReply};

/// The claims of e-mail addresses.
#[derive(Clone)]
pub(crate) struct EmailClaims {
    redis: Redis,
    installation: Installation,
}

/// The account that has an address.
#[derive(Debug)]
pub(crate) struct ClaimOwner {
    pub(crate) id: String,
    /// The key of the canonical form, if the account has the address in a former form.
    pub(crate) unclaimed: Option<String>,
}

impl EmailClaims {
    pub(crate) fn new(redis: &Redis, installation: &Installation) -> Self {
        Self {
            redis: redis.clone(),
            installation: installation.clone(),
        }
    }

    /// The keyed hash of the canonical form of an address.
    pub(crate) async fn hash(&self, email: &Email) -> Result<String> {
        self.installation.email_hash(&email.canonical()).await
    }

    /// The keyed hash of the network that an account signs in from.
    pub(crate) async fn network_hash(&self, account: &AccountId, at: IpAddr) -> Result<String> {
        self.installation.network_hash(account.as_str(), at).await
    }

    /// The key under which a new account claims an address.
    pub(crate) async fn key(&self, people: People, email: &Email) -> Result<String> {
        Ok(keys::email_claim(people, &self.hash(email).await?))
    }

    /// The keys under which an account with this address, as it is stored, may have its claim: that
    /// of the canonical form, and of the form that releases up to 0.1.0 used.
    pub(crate) async fn keys(&self, people: People, stored: &Email) -> Result<Vec<String>> {
        let mut forms = vec![stored.canonical(), stored.former_canonical()];
        forms.dedup();
        self.keys_of(people, &forms).await
    }

    /// The account that has the address. `None` if there is none, or it is still being created. One
    /// round trip.
    ///
    /// Up to release 0.1.0 two accounts could get the same mailbox. Of these the one is found whose
    /// address was written as this one is, so that both can sign in.
    pub(crate) async fn owner(&self, people: People, email: &Email) -> Result<Option<ClaimOwner>> {
        let mut forms = email.former_canonicals();
        let has_changed = forms.first() == Some(&email.former_canonical());
        let canonical_at = usize::from(has_changed);
        forms.insert(canonical_at, email.canonical());
        let mut keys = self.keys_of(people, &forms).await?;
        let claims = self.read(&keys).await?.into_iter();
        let owners = claims.map(|claim| claim.and_then(EmailClaim::owner));
        let Some((found_at, id)) = owners.enumerate().find_map(|(at, id)| Some((at, id?))) else {
            return Ok(None);
        };
        let unclaimed = (found_at != canonical_at).then(|| keys.swap_remove(canonical_at));
        Ok(Some(ClaimOwner { id, unclaimed }))
    }

    /// Claims the canonical form too for an account that has a former one, if nobody has it. Every
    /// spelling of the address finds the account from then on.
    pub(crate) async fn claim_canonical(&self, key: &str, id: &str) -> Result<()> {
        let mut claim = cmd("SET");
        claim.arg(key).arg(id).arg("NX");
        self.redis.prepare(claim).await
    }

    /// The claims of an address under the forms that releases up to 0.1.0 used, with their keys.
    /// Seldom reads at all, because the canonical form of most addresses has not changed.
    pub(crate) async fn former(
        &self,
        people: People,
        email: &Email,
    ) -> Result<Vec<(String, EmailClaim)>> {
        let keys = self.keys_of(people, &email.former_canonicals()).await?;
        let claims = self.read(&keys).await?;
        let found = keys.into_iter().zip(claims);
        Ok(found
            .filter_map(|(key, claim)| Some((key, claim?)))
            .collect())
    }

    async fn keys_of(&self, people: People, forms: &[String]) -> Result<Vec<String>> {
        let mut keys = Vec::with_capacity(forms.len());
        for form in forms {
            let hash = self.installation.email_hash(form).await?;
            keys.push(keys::email_claim(people, &hash));
        }
        Ok(keys)
    }

    async fn read(&self, keys: &[String]) -> Result<Vec<Option<EmailClaim>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let commands: Commands = keys.iter().map(Cmd::get).collect();
        let replies = self.redis.read_all(&commands).await?.into_iter();
        let claims = replies.map(|reply| {
            let claim: Option<String> = decode(reply)?;
            Ok(claim.map(|claim| EmailClaim::parse(&claim)))
        });
        claims.collect()
    }

    /// Deletes a claim if it still has this value. A confirmed claim is the id of its account.
    pub(crate) async fn release(&self, claim: &str, value: &str) -> Result<ReleaseEmailReply> {
        self.redis.run(&ReleaseEmail { claim, value }).await
    }
}
