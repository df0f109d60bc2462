//! How an account is made: its address is claimed, the account is written, the claim is confirmed. To
//! sign in, the claim and the account must agree, so that no half-done change opens an account.

use std::time::Duration;

use deadpool_redis::redis::cmd;
use domain::{Email, Rejection, RequestId, Timestamp, TokenHash};

use super::{PasswordHash, millis};
use crate::error::{Error, Result};
use crate::keys::{self, Account, People};
use crate::records::email_claim::EmailClaim;
use crate::redis::{Effect, write_deadline};
use crate::redis::{ReplyReader, decode};
use crate::{Store, installation, script};

/// An account to make.
pub(crate) struct NewAccount<'a> {
    pub(crate) people: People,
    pub(crate) id: String,
    pub(crate) email: &'a Email,
    pub(crate) credential: &'a PasswordHash,
    pub(crate) profile: Vec<(&'static str, String)>,
    pub(crate) request: RequestId,
    pub(crate) fingerprint: String,
}

/// When an account was made, and until when its first session is good.
pub(crate) struct Created {
    pub(crate) created_at: Timestamp,
    pub(crate) session_expires_at: Timestamp,
}

impl Store {
    /// Makes an account: claim, account, confirmation. `session` is the hash of a first token.
    pub(crate) async fn create_account(
        &self,
        new: &NewAccount<'_>,
        session: Option<(TokenHash, Duration)>,
    ) -> Result<Created> {
        let account = Account::of(new.people, &new.id);
        let hash = self.installation.email_hash(&self.redis, new.email).await?;
        let claim = keys::email_claim(new.people, &hash);
        let nonce = data_encoding::BASE32_DNSSEC.encode(&installation::random()?[..10]);
        self.claim_email(new, &claim, &nonce).await?;

        let keys = [
            account.profile(),
            account.credential(),
            account.sessions(),
            account.log(),
            account.request(new.request),
        ];
        let (token, life) = session.map_or((String::new(), Duration::ZERO), |(token, life)| {
            (token.to_string(), life)
        });
        let mut call = script::CREATE_ACCOUNT
            .on(&keys)
            .arg(new.request.to_string())
            .arg(&new.fingerprint)
            .arg(write_deadline(self.redis.current_time().await?))
            .arg(&new.credential.0)
            .arg(token)
            .arg(millis(life));
        for (name, value) in &new.profile {
            call = call.arg(*name).arg(value);
        }
        let reply = ReplyReader::new(self.redis.run_call(call, Effect::Decide).await?)?;
        let created = match reply.word() {
            "created" => {
                let mut fields = reply.into_fields();
                Created {
                    created_at: fields.timestamp("created_at")?,
                    session_expires_at: fields.timestamp("expires_at")?,
                }
            }
            "request_id_reused" | "exists" => return Err(Rejection::RequestIdReused.into()),
            "too_late" => return Err(Error::TooLate),
            _ => return Err(reply.unexpected()),
        };

        let call = script::CONFIRM_EMAIL.on(&[claim]).arg(&new.id);
        let reply = ReplyReader::new(self.redis.run_call(call, Effect::Decide).await?)?;
        match reply.word() {
            "confirmed" => Ok(created),
            // Ten minutes passed, and somebody else was faster: this account can never be opened.
            "lost" => Err(Rejection::EmailTaken.into()),
            _ => Err(reply.unexpected()),
        }
    }

    async fn claim_email(&self, new: &NewAccount<'_>, claim: &str, nonce: &str) -> Result<()> {
        for _ in 0..2 {
            let call = script::CLAIM_EMAIL.on(&[claim]).arg(&new.id).arg(nonce);
            let mut reply = ReplyReader::new(self.redis.run_call(call, Effect::Prepare).await?)?;
            match reply.word() {
                "claimed" | "owned" => return Ok(()),
                "pending" => return Err(Rejection::EmailTaken.into()),
                "taken" => {
                    let owner = reply.text()?;
                    if self.has_profile(new.people, &owner).await? {
                        return Err(Rejection::EmailTaken.into());
                    }
                    // An account was erased, and its address not yet freed.
                    let call = script::RELEASE_EMAIL.on(&[claim]).arg(owner);
                    self.redis.run_call(call, Effect::Prepare).await?;
                }
                _ => return Err(reply.unexpected()),
            }
        }
        Err(Rejection::EmailTaken.into())
    }

    async fn has_profile(&self, people: People, id: &str) -> Result<bool> {
        let mut exists = cmd("EXISTS");
        exists.arg(Account::of(people, id).profile());
        decode(self.redis.command(exists).await?)
    }

    /// Who has this address, if the claim is confirmed.
    pub(crate) async fn owner_of_email(
        &self,
        people: People,
        hash: &str,
    ) -> Result<Option<String>> {
        let mut get = cmd("GET");
        get.arg(keys::email_claim(people, hash));
        let claim: Option<String> = decode(self.redis.command(get).await?)?;
        Ok(claim.and_then(|claim| EmailClaim::parse(&claim).owner()))
    }
}
