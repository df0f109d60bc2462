//! Creates the account of a user: enters the id in the directory, then creates the account.
//!
//! The directory may hold too many ids: a call that is cut off leaves one without an account, which
//! a list of users skips.

use deadpool_redis::redis::Cmd;
use domain::{SessionToken, User, UserId};

use super::create_account::{AccountCreation, NewAccount};
use crate::accounts::{IssuedSession, PasswordHash, USER_SESSION_LIFETIME};
use crate::error::Result;
use crate::fingerprint::fingerprint;
use crate::keys::{self, AccountId};
use crate::records::user;
use crate::users::NewUser;

/// Creates the accounts of users. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SignUp {
    accounts: AccountCreation,
}

impl SignUp {
    pub(crate) fn new(accounts: &AccountCreation) -> Self {
        Self {
            accounts: accounts.clone(),
        }
    }

    /// Creates an account and opens its first session. A repetition with the same request id gets
    /// the same account and the same token: the caller must check the password of a repetition,
    /// because a password is never part of a fingerprint.
    pub(crate) async fn run(
        &self,
        new: &NewUser,
        password: &PasswordHash,
    ) -> Result<(User, IssuedSession<UserId>)> {
        let (id, token) = self.derive_id_and_token(new).await?;
        let shard = keys::directory(keys::shard_of(id.as_str()));
        let enter = Cmd::zadd(shard, id.as_str(), 0);
        self.accounts.redis.prepare(enter).await?;
        let mut profile = vec![("email", new.email.as_str().to_owned())];
        profile.extend(user::to_fields(&new.profile));
        let account = NewAccount {
            id: AccountId::User(id.clone()),
            email: &new.email,
            password,
            profile,
            request: new.request_id,
            fingerprint: fingerprint(&("sign_up", new.email.as_str(), &new.profile))?,
            session: Some((token.hash(), USER_SESSION_LIFETIME)),
            network: new.network,
        };
        let created = self.accounts.create(&account).await?;
        let user = User {
            id: id.clone(),
            email: new.email.clone(),
            profile: new.profile.clone(),
            version: 1,
            created_at: created.created_at,
            updated_at: created.created_at,
        };
        let session = IssuedSession {
            person: id,
            token,
            expires_at: created.session_expires_at,
        };
        Ok((user, session))
    }

    /// Whether a sign-up with this request id and address succeeded in the last 24 hours.
    pub(crate) async fn is_repetition(&self, new: &NewUser) -> Result<bool> {
        let (id, _) = self.derive_id_and_token(new).await?;
        let request = keys::account_request(&AccountId::User(id), new.request_id);
        self.accounts.redis.read(Cmd::exists(request)).await
    }

    /// Derives the id and the first token from the request, so that a repetition gets the same
    /// ones.
    async fn derive_id_and_token(&self, new: &NewUser) -> Result<(UserId, SessionToken)> {
        let installation = &self.accounts.installation;
        // Not the canonical form, so that a request that a release up to 0.1.0 began gets its id
        // again.
        let by = new.email.former_canonical();
        let id = installation.made_id("user", &by, new.request_id).await?;
        let id = UserId::from_bytes(id);
        let secret = installation.first_token(id.as_str(), new.request_id);
        let token = SessionToken::of_user(&id, &secret.await?);
        Ok((id, token))
    }
}
