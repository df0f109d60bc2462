//! How a user's account is made.

use deadpool_redis::redis::cmd;
use domain::{Email, Profile, RequestId, SessionToken, User, UserId};

use crate::Store;
use crate::accounts::{NewAccount, OpenSession, PasswordHash, USER_SESSION};
use crate::error::Result;
use crate::fingerprint::fingerprint;
use crate::keys::{self, People};
use crate::records::user;

/// An account to make.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Where the person is reached.
    pub email: Email,
    /// What the person says of themselves.
    pub profile: Profile,
    /// Which intention this is.
    pub request_id: RequestId,
}

impl Store {
    /// Makes an account and opens its first session. A repetition with the same request id answers
    /// the same account and the same token: the caller must check the password of a repetition
    /// against [`Store::user_credential`], since a password is never part of a fingerprint.
    pub async fn sign_up(
        &self,
        new: &NewUser,
        password: &PasswordHash,
    ) -> Result<(User, OpenSession)> {
        let email = new.email.canonical();
        let made = self
            .installation
            .made_id(&self.redis, "user", &email, new.request_id)
            .await?;
        let id = UserId::from_bytes(made);
        let secret = self
            .installation
            .first_token(&self.redis, id.as_str(), new.request_id)
            .await?;
        let token = SessionToken::of_user(&id, &secret);
        let mut enter = cmd("ZADD");
        enter
            .arg(keys::directory(keys::part_of(id.as_str())))
            .arg(0)
            .arg(id.as_str());
        self.redis.command(enter).await?;
        let mut profile = vec![("email", new.email.as_str().to_owned())];
        profile.extend(user::to_fields(&new.profile));
        let account = NewAccount {
            people: People::Users,
            id: id.to_string(),
            email: &new.email,
            credential: password,
            profile,
            request: new.request_id,
            fingerprint: fingerprint(&("sign_up", new.email.as_str(), &new.profile))?,
        };
        let created = self
            .create_account(&account, Some((token.hash(), USER_SESSION)))
            .await?;
        let user = User {
            id,
            email: new.email.clone(),
            profile: new.profile.clone(),
            version: 1,
            created_at: created.created_at,
            updated_at: created.created_at,
        };
        let session = OpenSession {
            token,
            expires_at: created.session_expires_at,
        };
        Ok((user, session))
    }
}
