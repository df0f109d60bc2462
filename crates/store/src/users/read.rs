//! Reads one user, or many.

use deadpool_redis::redis::Cmd;
use domain::{Email, Rejected, Rejection, User, UserId};

use super::Users;
use crate::accounts::PasswordHash;
use crate::error::{Error, Result};
use crate::keys::{self, AccountKey, People};
use crate::page::{Cursor, Listed, Page, PageRequest};
use crate::records::{Fields, user};
use crate::redis::{Commands, decode};
use crate::shards;

impl Users {
    /// Reads a user. Fails with `UserNotFound`.
    pub(crate) async fn get(&self, id: &UserId) -> Result<User> {
        let found = self.find(id).await?;
        found.ok_or_else(|| user_not_found(id).into())
    }

    /// Reads a user; `None` = there is no such account any more.
    pub(crate) async fn find(&self, id: &UserId) -> Result<Option<User>> {
        parse(id, self.redis.read(read_profile(id)).await?)
    }

    /// Reads users in one round trip, in the order of the ids; `None` = there is no such account
    /// any more.
    pub(crate) async fn find_many(&self, ids: &[UserId]) -> Result<Vec<Option<User>>> {
        let profiles: Commands = ids.iter().map(read_profile).collect();
        let replies = self.redis.read_all(&profiles).await?;
        let pairs = ids.iter().zip(replies);
        pairs.map(|(id, reply)| parse(id, decode(reply)?)).collect()
    }

    /// The user who has this address.
    pub(crate) async fn find_by_email(&self, email: &Email) -> Result<Option<User>> {
        let Some(owner) = self.claims.owner(People::Users, email).await? else {
            return Ok(None);
        };
        let id = UserId::parse(owner.id.as_str()).map_err(|_| {
            Error::unreadable(format_args!("the owner `{}` of an address", owner.id))
        })?;
        let user = self.find(&id).await?;
        // An erased account may still have the address for a moment.
        Ok(user.filter(|user| user.email == *email))
    }

    /// Lists users in the order of their ids. Two round trips.
    pub(crate) async fn list(&self, page: &PageRequest) -> Result<Page<User>> {
        let after = page.after_text();
        let slice = shards::read(&self.redis, keys::directory, after, "", page.size).await?;
        let shown = &slice.members[..slice.members.len().min(page.size)];
        let ids = shown.iter().map(|id| {
            UserId::parse(id.as_str())
                .map_err(|_| Error::unreadable(format_args!("the member `{id}` of the directory")))
        });
        let ids = ids.collect::<Result<Vec<_>>>()?;
        // The directory may hold ids of users whose account is erased or was never finished.
        let items = self.find_many(&ids).await?.into_iter().flatten().collect();
        let is_last = slice.is_last && shown.len() == slice.members.len();
        let last = shown.last().filter(|_| !is_last);
        let next = last.map(|last| Cursor::of_text(last));
        Ok(Page { items, next })
    }

    /// The hash of a user's password. Fails with `UserNotFound`.
    pub(crate) async fn credential(&self, id: &UserId) -> Result<PasswordHash> {
        let credential = Cmd::get(AccountKey::Credential.of_user(id));
        let credential: Option<String> = self.redis.read(credential).await?;
        credential
            .map(PasswordHash::new)
            .ok_or_else(|| user_not_found(id).into())
    }
}

impl Listed for User {
    fn cursor(&self) -> Cursor {
        Cursor::of_text(self.id.as_str())
    }
}

/// The rejection for an account that does not exist.
pub(crate) fn user_not_found(id: &UserId) -> Rejected {
    Rejected::from(Rejection::UserNotFound).about_user(id)
}

fn read_profile(id: &UserId) -> Cmd {
    Cmd::hgetall(AccountKey::Profile.of_user(id))
}

fn parse(id: &UserId, profile: Fields) -> Result<Option<User>> {
    if profile.is_empty() {
        return Ok(None);
    }
    user::parse(id.clone(), profile).map(Some)
}
