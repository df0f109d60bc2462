//! Creates an account in three steps: claims its e-mail address for ten minutes, creates the
//! account, and confirms the claim.
//!
//! Nobody can sign in before the claim is confirmed. A call that is cut off before leaves an
//! account that a repetition of the request finishes. After ten minutes the claim expires, and the
//! address is free for another account.

use std::net::IpAddr;
use std::time::Duration;

use data_encoding::BASE32_DNSSEC;
use deadpool_redis::redis::Cmd;
use domain::{Email, Rejection, RequestId, Timestamp, TokenHash};

use crate::accounts::{EmailClaims, NETWORK_LIFETIME, PasswordHash};
use crate::error::{Error, Result};
use crate::installation::{self, Installation};
use crate::keys::{AccountId, AccountKey, People};
use crate::records::email_claim::EmailClaim;
use crate::redis::{Redis, write_deadline};
use crate::scripts::claim_email::{ClaimEmail, ClaimEmailReply};
use crate::scripts::confirm_email::{ConfirmEmail, ConfirmEmailReply};
use crate::scripts::create_account::{CreateAccount, CreateAccountReply};

/// Creates accounts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AccountCreation {
    pub(super) redis: Redis,
    pub(super) installation: Installation,
    pub(super) claims: EmailClaims,
}

/// An account to create.
pub(super) struct NewAccount<'a> {
    pub(super) id: AccountId,
    pub(super) email: &'a Email,
    pub(super) password: &'a PasswordHash,
    pub(super) profile: Vec<(&'static str, String)>,
    pub(super) request: RequestId,
    pub(super) fingerprint: String,
    /// The token and the lifetime of a first session.
    pub(super) session: Option<(TokenHash, Duration)>,
    /// The network of the person, from which the account is known to sign in.
    pub(super) network: Option<IpAddr>,
}

pub(super) struct CreatedAccount {
    pub(super) created_at: Timestamp,
    pub(super) session_expires_at: Timestamp,
}

impl AccountCreation {
    pub(crate) fn new(redis: &Redis, installation: &Installation, claims: &EmailClaims) -> Self {
        Self {
            redis: redis.clone(),
            installation: installation.clone(),
            claims: claims.clone(),
        }
    }

    /// Creates an account. Fails with `EmailTaken` or `RequestIdReused`.
    pub(super) async fn create(&self, new: &NewAccount<'_>) -> Result<CreatedAccount> {
        let claim = self.claim(new).await?;
        let created = self.write_account(new).await?;
        let confirm = ConfirmEmail {
            claim: &claim,
            account: new.id.as_str(),
        };
        match self.redis.run(&confirm).await? {
            ConfirmEmailReply::Confirmed => Ok(created),
            // The claim expired and another account got the address. Nobody can ever sign in to
            // this account.
            ConfirmEmailReply::Lost => Err(Rejection::EmailTaken.into()),
        }
    }

    async fn write_account(&self, new: &NewAccount<'_>) -> Result<CreatedAccount> {
        let network = match new.network {
            Some(network) => Some(self.claims.network_hash(&new.id, network).await?),
            None => None,
        };
        let create = CreateAccount {
            account: &new.id,
            request: new.request,
            fingerprint: &new.fingerprint,
            deadline: write_deadline(self.redis.current_time().await?),
            password: new.password,
            session: new.session,
            network: network.as_deref(),
            known_for: NETWORK_LIFETIME,
            profile: &new.profile,
        };
        match self.redis.run(&create).await? {
            CreateAccountReply::Created {
                created_at,
                session_expires_at,
            } => Ok(CreatedAccount {
                created_at,
                session_expires_at,
            }),
            // The id is derived from the request id, so the account was created by a request with
            // the same id, more than 24 hours ago or with another body.
            CreateAccountReply::Exists | CreateAccountReply::RequestIdReused => {
                Err(Rejection::RequestIdReused.into())
            }
            CreateAccountReply::TooLate => Err(Error::TooLate),
        }
    }

    /// Claims the address, and returns the key of the claim.
    async fn claim(&self, new: &NewAccount<'_>) -> Result<String> {
        let people = new.id.people();
        let mut key = self.claims.key(people, new.email).await?;
        for (former, claim) in self.claims.former(people, new.email).await? {
            if claim.is_of(new.id.as_str()) {
                // A release up to 0.1.0 began this request.
                key = former;
            } else if let EmailClaim::Owned { account } = claim
                && !self.has_profile(people, &account).await?
            {
                self.claims.release(&former, &account).await?;
            } else {
                return Err(Rejection::EmailTaken.into());
            }
        }
        self.claim_key(&key, &new.id).await?;
        Ok(key)
    }

    /// Claims an address. Takes it over from an account that was erased.
    async fn claim_key(&self, claim: &str, account: &AccountId) -> Result<()> {
        let nonce = BASE32_DNSSEC.encode(&installation::random()?[..10]);
        let script = ClaimEmail {
            claim,
            account: account.as_str(),
            nonce: &nonce,
        };
        for _ in 0..2 {
            match self.redis.run(&script).await? {
                ClaimEmailReply::Claimed | ClaimEmailReply::Owned => return Ok(()),
                ClaimEmailReply::Pending => break,
                ClaimEmailReply::Taken { owner } => {
                    if self.has_profile(account.people(), &owner).await? {
                        break;
                    }
                    // The owner was erased, and the address not yet released.
                    self.claims.release(claim, &owner).await?;
                }
            }
        }
        Err(Rejection::EmailTaken.into())
    }

    async fn has_profile(&self, people: People, id: &str) -> Result<bool> {
        match AccountId::parse(people, id) {
            Some(account) => {
                let exists = Cmd::exists(AccountKey::Profile.of(&account));
                self.redis.read(exists).await
            }
            None => Ok(false),
        }
    }
}
