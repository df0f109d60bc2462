//! Reads one admin, or many.

use deadpool_redis::redis::{Cmd, cmd};
use domain::{Admin, AdminId, Rejected, Rejection};

use super::Admins;
use crate::accounts::PasswordHash;
use crate::error::{Error, Result};
use crate::keys::{self, AccountKey};
use crate::page::{Cursor, Listed, Page, PageRequest};
use crate::records::{Fields, admin};
use crate::redis::{Commands, decode};

impl Admins {
    /// Reads an admin. Fails with `AdminNotFound`.
    pub(crate) async fn get(&self, id: &AdminId) -> Result<Admin> {
        let admin = parse(id, self.redis.read(read_profile(id)).await?)?;
        admin.ok_or_else(|| admin_not_found(id).into())
    }

    /// The hash of an admin's password. Fails with `AdminNotFound`.
    pub(crate) async fn credential(&self, id: &AdminId) -> Result<PasswordHash> {
        let credential = Cmd::get(AccountKey::Credential.of_admin(id));
        let credential: Option<String> = self.redis.read(credential).await?;
        credential
            .map(PasswordHash::new)
            .ok_or_else(|| admin_not_found(id).into())
    }

    /// Lists admins in the order of their ids. Two round trips.
    pub(crate) async fn list(&self, page: &PageRequest) -> Result<Page<Admin>> {
        let from = match page.after_text() {
            "" => "-".to_owned(),
            after => format!("({after}"),
        };
        let mut range = cmd("ZRANGEBYLEX");
        range.arg(keys::ADMINS).arg(from).arg("+");
        range.arg("LIMIT").arg(0).arg(page.size);
        let members: Vec<String> = self.redis.read(range).await?;
        let ids = members.iter().map(|id| {
            AdminId::parse(id.as_str()).map_err(|_| {
                Error::unreadable(format_args!("the member `{id}` of the list of admins"))
            })
        });
        let ids = ids.collect::<Result<Vec<_>>>()?;
        let profiles: Commands = ids.iter().map(read_profile).collect();
        let mut items = Vec::with_capacity(ids.len());
        for (id, profile) in ids.iter().zip(self.redis.read_all(&profiles).await?) {
            // The list may hold admins whose creation was not finished.
            items.extend(parse(id, decode(profile)?)?);
        }
        let last = members.last().filter(|_| members.len() == page.size);
        let next = last.map(|last| Cursor::of_text(last));
        Ok(Page { items, next })
    }
}

impl Listed for Admin {
    fn cursor(&self) -> Cursor {
        Cursor::of_text(self.id.as_str())
    }
}

/// The rejection for an admin that does not exist.
pub(crate) fn admin_not_found(id: &AdminId) -> Rejected {
    Rejected::from(Rejection::AdminNotFound).with("admin_id", id)
}

fn read_profile(id: &AdminId) -> Cmd {
    Cmd::hgetall(AccountKey::Profile.of_admin(id))
}

fn parse(id: &AdminId, profile: Fields) -> Result<Option<Admin>> {
    if profile.is_empty() {
        return Ok(None);
    }
    admin::parse(id.clone(), profile).map(Some)
}
