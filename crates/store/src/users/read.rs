//! Users read: one, or many.

use deadpool_redis::redis::{Pipeline, cmd};
use domain::{Email, User, UserId};

use crate::accounts::{PasswordHash, user_not_found};
use crate::error::Result;
use crate::keys::{self, Account, People};
use crate::legacy::unreadable;
use crate::page::{Cursor, Listed, Page, PageRequest};
use crate::records::{Fields, user};
use crate::redis::Effect;
use crate::redis::decode;
use crate::{Store, shards};

impl Store {
    /// Reads a user.
    pub async fn get_user(&self, id: &UserId) -> Result<User> {
        self.find_user(id)
            .await?
            .ok_or_else(|| user_not_found(id).into())
    }

    /// Reads a user, who may be gone.
    pub async fn find_user(&self, id: &UserId) -> Result<Option<User>> {
        let fields = self.read_profile(&Account::of_user(id)).await?;
        (!fields.is_empty())
            .then(|| user::parse(id.clone(), fields))
            .transpose()
    }

    /// Reads users, who may be gone, in one round trip.
    pub(crate) async fn find_users(&self, ids: &[UserId]) -> Result<Vec<Option<User>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = Pipeline::with_capacity(ids.len());
        for id in ids {
            pipeline.cmd("HGETALL").arg(Account::of_user(id).profile());
        }
        let answers = self.redis.pipeline(&pipeline, Effect::Prepare).await?;
        ids.iter()
            .zip(answers)
            .map(|(id, answer)| {
                let fields = Fields::from_pairs(decode(answer)?);
                (!fields.is_empty())
                    .then(|| user::parse(id.clone(), fields))
                    .transpose()
            })
            .collect()
    }

    /// Finds the user who has this address.
    pub async fn find_user_by_email(&self, email: &Email) -> Result<Option<User>> {
        let hash = self.installation.email_hash(&self.redis, email).await?;
        let Some(owner) = self.owner_of_email(People::Users, &hash).await? else {
            return Ok(None);
        };
        let id = UserId::parse(owner).map_err(|_| unreadable("the owner of an address"))?;
        let user = self.find_user(&id).await?;
        Ok(user.filter(|user| user.email == *email))
    }

    /// Lists users in the order of their ids. Two round trips.
    pub async fn list_users(&self, page: &PageRequest) -> Result<Page<User>> {
        let after = page.after_text();
        let slice = shards::read(&self.redis, keys::directory, after, "", page.size).await?;
        let shown = &slice.members[..slice.members.len().min(page.size)];
        let ids = shown
            .iter()
            .map(|id| {
                UserId::parse(id.as_str()).map_err(|_| unreadable("a member of the directory"))
            })
            .collect::<Result<Vec<_>>>()?;
        let items = self.find_users(&ids).await?.into_iter().flatten().collect();
        let is_last = slice.is_last && shown.len() == slice.members.len();
        let next = shown
            .last()
            .filter(|_| !is_last)
            .map(|last| Cursor::of_text(last));
        Ok(Page { items, next })
    }

    /// The hash of a user's password.
    pub async fn user_credential(&self, user: &UserId) -> Result<PasswordHash> {
        let mut read = cmd("GET");
        read.arg(Account::of_user(user).credential());
        let credential: Option<String> = decode(self.redis.command(read).await?)?;
        credential
            .map(PasswordHash)
            .ok_or_else(|| user_not_found(user).into())
    }
}

impl Listed for User {
    fn cursor(&self) -> Cursor {
        Cursor::of_text(self.id.as_str())
    }
}
